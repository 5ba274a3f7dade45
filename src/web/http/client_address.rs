//! The address of a client, also behind proxies.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::{Data, ServiceConfig};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose `X-Forwarded-For` and `Forwarded` are believed. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A network that is no IP address or CIDR block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it must be an IP address or a network such as 10.0.0.0/8")]
pub struct InvalidNetwork;

impl TrustedProxies {
    /// Reads one address or network, such as `10.0.0.1` or `10.0.0.0/8`.
    ///
    /// # Errors
    ///
    /// If the text is neither.
    pub fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(address.to_canonical().into()),
            Err(_) => text.parse().map_err(|_| InvalidNetwork),
        }
    }

    /// Returns `true` if no proxy is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that came from `peer`: the right-most address that is not one of a trusted proxy. The
    /// addresses before it are what the client says, and may be invented.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let x_forwarded_for = self.walk(peer, x_forwarded_for(headers));
        let forwarded = self.walk(peer, forwarded(headers));
        match (x_forwarded_for, forwarded) {
            // A proxy that sets one of them passes on the other as the client has sent it. Which is which cannot be
            // known.
            (Some(one), Some(other)) if one != other => peer,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        }
    }

    /// Walks from the server towards the client. `None` if there is no header.
    fn walk(&self, peer: IpAddr, hops: Vec<Option<IpAddr>>) -> Option<IpAddr> {
        if hops.is_empty() {
            return None;
        }
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            match hop {
                Some(address) if self.contains(client) => client = address,
                _ => break,
            }
        }
        Some(client)
    }
}

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// Returns the configuration with which [`ClientAddress::of`] knows the proxies.
pub(crate) fn configuration(proxies: TrustedProxies) -> impl Fn(&mut ServiceConfig) + Clone {
    let proxies = Data::new(proxies);
    move |config| {
        config.app_data(proxies.clone());
    }
}

/// The address of a client, for limits and logs. Never for access: see [`AccessPolicy`](crate::web::AccessPolicy).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress {
    address: IpAddr,
    /// `true` if no proxy says that it passes on a request of somebody else.
    is_direct: bool,
}

impl ClientAddress {
    /// The address that sent the request, or the one that a trusted proxy names.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        // Only a connection that has ended has no peer.
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let peer = peer.unwrap_or(Ipv6Addr::UNSPECIFIED.into());
        let headers = request.headers();
        let proxies = request.app_data::<Data<TrustedProxies>>();
        Self {
            address: proxies.map_or(peer, |proxies| proxies.client(peer, headers)),
            is_direct: !headers.contains_key(X_FORWARDED_FOR)
                && !headers.contains_key(header::FORWARDED),
        }
    }

    /// Returns `true` for a client on this machine, unless it passes on requests of others.
    pub(crate) fn is_local(self) -> bool {
        self.is_direct && self.address.is_loopback()
    }

    /// The network that counts as one client: an IPv4 address, or 64 bits of IPv6, in which a client can choose its
    /// addresses.
    pub(crate) fn network(self) -> IpAddr {
        match self.address {
            IpAddr::V4(_) => self.address,
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                Ipv6Addr::from(network).into()
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// The addresses of `X-Forwarded-For`, from the client to the last proxy. `None` stands for an entry that is no
/// address.
fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(X_FORWARDED_FOR);
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',').map(node)).collect()
}

/// The same of `Forwarded` (RFC 7239).
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(header::FORWARDED);
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    // The quoted values that matter are addresses, in which there are neither commas nor semicolons.
    let elements = lines.flat_map(|line| line.split(','));
    let node_of = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
        node(value)
    };
    elements.map(node_of).collect()
}

/// Parses `192.0.2.1`, `2001:db8::1`, either with a port, or in quotes. `None` for `unknown` and made-up names.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bracketed.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|node| node.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let networks = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"];
        let proxies: TrustedProxies = networks
            .iter()
            .map(|network| TrustedProxies::parse_network(network).unwrap())
            .collect();
        let mut request = TestRequest::default()
            .peer_addr(SocketAddr::new(peer.parse().unwrap(), 1))
            .app_data(Data::new(proxies));
        for &header in headers {
            request = request.append_header(header);
        }
        ClientAddress::of(&request.to_http_request()).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let xff = ("x-forwarded-for", "198.51.100.7");
        let forwarded = ("forwarded", "for=198.51.100.7");
        for header in [xff, forwarded] {
            assert_eq!(client("203.0.113.5", &[header]), "203.0.113.5");
            assert_eq!(client("127.0.0.1", &[header]), "198.51.100.7");
            assert_eq!(client("::ffff:127.0.0.1", &[header]), "198.51.100.7");
        }
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
        let without = TestRequest::default()
            .peer_addr("127.0.0.1:1".parse().unwrap())
            .insert_header(xff);
        let address = ClientAddress::of(&without.to_http_request());
        assert_eq!(address.to_string(), "127.0.0.1");
        assert!(!address.is_local(), "a proxy is not its clients");
    }

    #[test]
    fn only_a_direct_client_on_this_machine_is_local() {
        let from = |peer: &str| TestRequest::default().peer_addr(peer.parse().unwrap());
        let is_local =
            |request: TestRequest| ClientAddress::of(&request.to_http_request()).is_local();
        assert!(is_local(from("127.0.0.1:1")));
        assert!(!is_local(from("192.0.2.1:1")));
        for header in [
            ("forwarded", "for=127.0.0.1"),
            ("x-forwarded-for", "127.0.0.1"),
        ] {
            assert!(!is_local(from("127.0.0.1:1").insert_header(header)));
        }
    }

    #[test]
    fn the_client_is_the_right_most_address_that_is_not_trusted() {
        let xff = |text: &str| client("127.0.0.1", &[("x-forwarded-for", text)]);
        assert_eq!(xff("1.2.3.4, 198.51.100.7"), "198.51.100.7");
        assert_eq!(xff("1.2.3.4, 198.51.100.7, 10.1.2.3"), "198.51.100.7");
        assert_eq!(xff("10.9.9.9, 10.1.2.3"), "10.9.9.9");
        assert_eq!(xff("1.2.3.4, unknown, 10.1.2.3"), "10.1.2.3");
        assert_eq!(xff(""), "127.0.0.1");
        let lines = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-for", "198.51.100.7"),
        ];
        assert_eq!(client("127.0.0.1", &lines), "198.51.100.7");
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        for (text, expected) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let xff = client("127.0.0.1", &[("x-forwarded-for", text)]);
            let forwarded = format!("by=10.0.0.1; For=\"{text}\";proto=https");
            let forwarded = client("127.0.0.1", &[("forwarded", &forwarded)]);
            assert_eq!((&*xff, &*forwarded), (expected, expected), "{text}");
        }
        for text in ["for=unknown", "for=_hidden", "proto=https", "for=\"", "="] {
            assert_eq!(client("127.0.0.1", &[("forwarded", text)]), "127.0.0.1");
        }
    }

    #[test]
    fn two_headers_that_disagree_are_not_believed() {
        let headers = |other| {
            [
                ("x-forwarded-for", "198.51.100.7"),
                (
                    "forwarded",
                    if other {
                        "for=1.2.3.4"
                    } else {
                        "for=198.51.100.7"
                    },
                ),
            ]
        };
        assert_eq!(client("127.0.0.1", &headers(false)), "198.51.100.7");
        assert_eq!(client("127.0.0.1", &headers(true)), "127.0.0.1");
    }

    #[test]
    fn clients_of_one_ipv6_network_count_as_one() {
        let network = |text: &str| {
            let address = text.parse().unwrap();
            let is_direct = true;
            ClientAddress { address, is_direct }.network()
        };
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_network_is_an_address_or_a_block() {
        for text in ["127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8", " 10.0.0.1 "] {
            assert!(TrustedProxies::parse_network(text).is_ok(), "{text}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80", "*"] {
            assert!(TrustedProxies::parse_network(text).is_err(), "{text}");
        }
    }
}
