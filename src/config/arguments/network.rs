//! Options of the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use crate::web::{EmbeddingOrigin, PublicUrl, TrustedProxies};

/// The addresses of the server, its certificate, and the proxies in front of it.
#[derive(clap::Args)]
pub(super) struct NetworkArguments {
    /// Address for browsers: an IP address and a port. 0.0.0.0:8000 or [::]:8000 opens the boards to the network, for
    /// those who have a link; port 0 takes any free port
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "REALTIME_PHOTO_LISTEN",
        default_value = "127.0.0.1:8000"
    )]
    pub(super) listen: SocketAddr,

    /// Serve HTTPS with this certificate and its chain, a file in PEM format. It is loaded again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "REALTIME_PHOTO_TLS_CERT",
        requires = "tls_key"
    )]
    pub(super) tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert, a file in PEM format
    #[arg(
        long,
        value_name = "FILE",
        env = "REALTIME_PHOTO_TLS_KEY",
        requires = "tls_cert"
    )]
    pub(super) tls_key: Option<PathBuf>,

    /// The address under which a proxy publishes this server, with its path if it has one, such as
    /// <https://photos.example/party/>. Links and QR codes then name it, other hosts are refused, and everybody needs a
    /// link
    #[arg(long, value_name = "URL", env = "REALTIME_PHOTO_PUBLIC_URL")]
    pub(super) public_url: Option<PublicUrl>,

    /// The address of a proxy in front of this server, or its network, such as 127.0.0.1 or 10.0.0.0/8. Only from there
    /// are the headers X-Forwarded-For and Forwarded believed, by which the limits of each client and the log know who
    /// it is. Can be given more than once; the variable takes several with commas between them
    #[arg(
        long,
        value_name = "ADDR",
        env = "REALTIME_PHOTO_TRUSTED_PROXY",
        value_delimiter = ',',
        value_parser = TrustedProxies::parse_network
    )]
    pub(super) trusted_proxy: Vec<IpNet>,

    /// A web site that may show the pages in a frame, such as <https://www.example.com>. Without it none may. Can be
    /// given more than once; the variable takes several with commas between them
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "REALTIME_PHOTO_EMBED",
        value_delimiter = ','
    )]
    pub(super) embed: Vec<EmbeddingOrigin>,
}

impl NetworkArguments {
    /// The URL of a server with these arguments, for this machine.
    pub(super) fn own_url(&self) -> String {
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let scheme = if self.tls_cert.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", SocketAddr::new(ip, self.listen.port()))
    }
}
