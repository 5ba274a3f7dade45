//! The command line and the environment, validated as [`Settings`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Parser;
use ipnet::IpNet;

use super::rethinkdb_url::{self, InvalidUrl};
use super::settings::{Access, Database, EmbeddedSettings, Publish, Settings, Task, TlsFiles};
use crate::image::Metadata;
use crate::store::{BoardLimits, InvalidToken, Password, Token};
use crate::web::{EmbeddingOrigin, PublicUrl, TrustedProxies};

/// The largest `--max-upload`. RethinkDB limits a query to 134,217,727 bytes, and base64 adds a third.
const LARGEST_UPLOAD: ByteSize = ByteSize::mib(90);

/// The least `--upload-memory`. With less, even photos of a few MB would be processed one by one.
const LEAST_UPLOAD_MEMORY: ByteSize = ByteSize::mib(16);

/// The shortest `--admin-token`, in characters. Guessing is slow, but a word would be found.
const SHORTEST_ADMIN_TOKEN: usize = 16;

/// The longest `--undo-window`. A deleted image takes up space until it ends.
const LONGEST_UNDO_WINDOW: Duration = Duration::from_secs(365 * 86_400);

/// An error in the combination of arguments. No message contains a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `--rethinkdb` is not a valid URL.
    #[error("the URL given by --rethinkdb (or RETHINKDB_URL) is not usable: {0}")]
    Url(#[from] InvalidUrl),
    /// `--reql-listen` without an embedded engine.
    #[error(
        "--reql-listen publishes the embedded engine, which --rethinkdb replaces: give one of them"
    )]
    PublishedCluster,
    /// `--reql-listen` on a network without a password: anyone there could read and delete everything.
    #[error(
        "--reql-listen {0} can be reached from other machines and needs a password: set REQL_PASSWORD or --reql-password"
    )]
    PasswordMissing(SocketAddr),
}

/// A realtime image board: drop a picture on the page, and everyone who looks sees it at once.
///
/// The images are kept in a RethinkDB, if one is given by --rethinkdb, and otherwise in the folder that --data names,
/// by the engine that is built in. It runs until Ctrl-C or SIGTERM.
#[derive(Parser)]
#[command(name = "realtime-photo", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommand>,

    /// Address for browsers: an IP address and a port. 0.0.0.0:8000 or [::]:8000 opens the boards to the network, for those
    /// who have a link; port 0 takes any free port
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "REALTIME_PHOTO_LISTEN",
        default_value = "127.0.0.1:8000"
    )]
    listen: SocketAddr,

    /// Serve HTTPS with this certificate and its chain, a file in PEM format. It is loaded again when it changes
    #[arg(
        long,
        value_name = "FILE",
        env = "REALTIME_PHOTO_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert, a file in PEM format
    #[arg(
        long,
        value_name = "FILE",
        env = "REALTIME_PHOTO_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,

    /// The address under which a proxy publishes this server, with its path if it has one, such as
    /// <https://photos.example/party/>. Links and QR codes then name it, other hosts are refused, and everybody needs a link
    #[arg(long, value_name = "URL", env = "REALTIME_PHOTO_PUBLIC_URL")]
    public_url: Option<PublicUrl>,

    /// The address of a proxy in front of this server, or its network, such as 127.0.0.1 or 10.0.0.0/8. Only from there are the
    /// headers X-Forwarded-For and Forwarded believed, by which the limits of each client and the log know who it is. Can be
    /// given more than once; the variable takes several with commas between them
    #[arg(
        long,
        value_name = "ADDR",
        env = "REALTIME_PHOTO_TRUSTED_PROXY",
        value_delimiter = ',',
        value_parser = TrustedProxies::parse_network
    )]
    trusted_proxy: Vec<IpNet>,

    /// A web site that may show the pages in a frame, such as <https://www.example.com>. Without it none may. Can be given more
    /// than once; the variable takes several with commas between them
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "REALTIME_PHOTO_EMBED",
        value_delimiter = ','
    )]
    embed: Vec<EmbeddingOrigin>,

    /// Let everybody do everything, without links, also beyond this machine
    #[arg(long, env = "REALTIME_PHOTO_OPEN", conflicts_with = "admin_token")]
    open: bool,

    /// The secret of whoever administers all boards: 16 or more letters, digits and -._~. With it, links are needed on this
    /// machine too. Without it, a new one is made and shown at each start that needs links. Better given by the variable,
    /// since other users can read a command line
    #[arg(
        long,
        value_name = "TOKEN",
        env = "REALTIME_PHOTO_ADMIN_TOKEN",
        hide_env_values = true,
        value_parser = parse_admin_token
    )]
    admin_token: Option<Token>,

    /// The folder in which the embedded engine keeps the images; made if it is missing, and used by one process at a
    /// time. Not used with --rethinkdb
    #[arg(
        long,
        value_name = "DIR",
        env = "REALTIME_PHOTO_DATA",
        default_value = "./data",
        global = true
    )]
    data: PathBuf,

    /// Keep the images in this RethinkDB instead of the embedded engine:
    /// rethinkdb://[user[:password]@]host[:port][,host[:port]...][/database]. The hosts are tried in turn. User and
    /// password are percent-encoded, an IPv6 address stands in brackets. Without them: user admin, no password, port
    /// 28015, database realtime_photo, which is created if it is missing. A URL with a password is better given by the
    /// variable, since other users can read a command line
    #[arg(
        long,
        value_name = "URL",
        env = "RETHINKDB_URL",
        hide_env_values = true,
        global = true
    )]
    rethinkdb: Option<String>,

    /// Let RethinkDB's drivers and tools (such as rethinkdb dump) connect to the embedded engine at this address, as
    /// user admin. Without it the engine listens on a random loopback port with a random password
    #[arg(long, value_name = "ADDR:PORT", env = "REALTIME_PHOTO_REQL_LISTEN")]
    reql_listen: Option<SocketAddr>,

    /// The password for --reql-listen; it may be left out on loopback only. Better given by the variable, since other
    /// users can read a command line
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "REQL_PASSWORD",
        hide_env_values = true
    )]
    reql_password: Option<String>,

    /// The largest image that is taken: bytes, or with a unit such as 500k, 16MiB (k, M and G are powers of 1,000; Ki,
    /// Mi and Gi of 1,024). At most 90MiB; RethinkDB advises against more than 16MiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "REALTIME_PHOTO_MAX_UPLOAD",
        default_value = "16MiB",
        value_parser = parse_max_upload
    )]
    max_upload: u64,

    /// The most pixels (width times height) that an image may have
    #[arg(
        long,
        value_name = "PIXELS",
        env = "REALTIME_PHOTO_MAX_PIXELS",
        default_value = "100000000",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    max_pixels: u64,

    /// The most images that a board may hold, without those in the bin. Without it there is no limit
    #[arg(
        long,
        value_name = "COUNT",
        env = "REALTIME_PHOTO_MAX_IMAGES",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    max_images: Option<u64>,

    /// The most bytes that the images of a board may have together, without those in the bin: bytes, or with a unit as for
    /// --max-upload. Without it there is no limit
    #[arg(
        long,
        value_name = "SIZE",
        env = "REALTIME_PHOTO_MAX_BOARD_SIZE",
        value_parser = parse_max_board_size
    )]
    max_board_size: Option<u64>,

    /// The memory that complete uploads may use while they are checked and stored: bytes, or with a unit as for --max-upload.
    /// An upload needs about five times its size; one that needs more than all is processed alone. At least 16MiB
    #[arg(
        long,
        value_name = "SIZE",
        env = "REALTIME_PHOTO_UPLOAD_MEMORY",
        default_value = "256MiB",
        value_parser = parse_upload_memory
    )]
    upload_memory: u64,

    /// The folder for uploads that are still arriving, which needs room for as many as there are at a time. Without it: uploads
    /// in the folder that --data names, or with --rethinkdb the system's folder for temporary files
    #[arg(long, value_name = "DIR", env = "REALTIME_PHOTO_UPLOAD_DIR")]
    upload_dir: Option<PathBuf>,

    /// For how long a deleted image can be restored: a number of seconds, minutes, hours or days such as 90s, 10m, 1h
    /// or 7d, at most 365d. Then it is removed for good. With 0 it is removed at once
    #[arg(
        long,
        value_name = "TIME",
        env = "REALTIME_PHOTO_UNDO_WINDOW",
        default_value = "1h",
        value_parser = parse_undo_window
    )]
    undo_window: Duration,

    /// Store images with all that they tell besides the picture, such as where and with which camera a photograph was
    /// taken. Without it that is removed; colour profile and orientation stay
    #[arg(
        long,
        env = "REALTIME_PHOTO_KEEP_METADATA",
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    keep_metadata: bool,
}

/// What to do instead of running the server.
#[derive(clap::Subcommand)]
enum Subcommand {
    /// Read everything in the folder of a server that is stopped, and list what is damaged
    ///
    /// Verifies the checksums of all documents, files and pages, and changes nothing. Exits with 0 if nothing is damaged, with
    /// 1 if something is, and with 2 if the folder cannot be checked.
    Check,
    /// Return the space that the folder of a server that is stopped does not use
    ///
    /// Also mends the list of free pages. A running server returns space by itself, but needs space on the disk for it.
    Compact,
    /// Fetch a backup of a running server, with all boards, images and links, and write it to a file
    ///
    /// It is verified, and complete once the file is there. Exits with 1 if it lacks images that are damaged, which are
    /// listed then.
    Backup {
        /// The file to write
        file: PathBuf,
        /// The address of the server
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
        server: String,
        /// The token of whoever administers all boards, if the server needs links
        #[arg(
            long,
            value_name = "TOKEN",
            env = "REALTIME_PHOTO_ADMIN_TOKEN",
            hide_env_values = true
        )]
        token: Option<Token>,
    },
    /// Restore a backup into an empty data folder, or with --rethinkdb into an empty database of a RethinkDB
    ///
    /// The backup is verified before anything is written.
    Restore {
        /// The file to read
        file: PathBuf,
    },
}

impl Arguments {
    /// What is to be done.
    ///
    /// # Errors
    ///
    /// If the arguments contradict each other.
    pub fn into_task(self) -> Result<Task, ConfigError> {
        match self.command {
            None => Settings::try_from(self).map(|settings| Task::Serve(Box::new(settings))),
            Some(Subcommand::Check) => Ok(Task::Check { data: self.data }),
            Some(Subcommand::Compact) => Ok(Task::Compact { data: self.data }),
            Some(Subcommand::Backup {
                file,
                server,
                token,
            }) => Ok(Task::Backup {
                file,
                server,
                token,
            }),
            Some(Subcommand::Restore { file }) => {
                let database = match self.rethinkdb {
                    Some(url) => Database::Cluster(rethinkdb_url::parse(&url)?),
                    None => Database::Embedded(EmbeddedSettings {
                        data: self.data,
                        publish: None,
                    }),
                };
                Ok(Task::Restore { file, database })
            }
        }
    }
}

fn parse_undo_window(text: &str) -> Result<Duration, String> {
    // Lower case first: 10M has always meant minutes here, and means months to humantime.
    match humantime::parse_duration(&text.to_ascii_lowercase()) {
        Ok(window) if window > LONGEST_UNDO_WINDOW => Err("the maximum is 365d".to_owned()),
        Ok(window) => Ok(window),
        Err(error) => Err(format!("{error}; examples: 90s, 10m, 1h, 7d")),
    }
}

fn parse_admin_token(text: &str) -> Result<Token, String> {
    if text.len() < SHORTEST_ADMIN_TOKEN {
        return Err(format!(
            "it needs at least {SHORTEST_ADMIN_TOKEN} characters"
        ));
    }
    text.parse()
        .map_err(|error: InvalidToken| error.to_string())
}

fn parse_max_upload(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("the size must not be 0".to_owned()),
        Ok(size) if size > LARGEST_UPLOAD => {
            Err("the maximum is 90MiB, the size limit of a RethinkDB query".to_owned())
        }
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(error) => Err(format!("{error}; examples: 16MiB, 500k, 1048576")),
    }
}

fn parse_max_board_size(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(ByteSize(0)) => Err("the size must not be 0".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(error) => Err(format!("{error}; examples: 2GB, 500MiB")),
    }
}

fn parse_upload_memory(text: &str) -> Result<u64, String> {
    match text.parse::<ByteSize>() {
        Ok(size) if size < LEAST_UPLOAD_MEMORY => Err("the minimum is 16MiB".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(error) => Err(format!("{error}; examples: 256MiB, 1GB")),
    }
}

impl TryFrom<Arguments> for Settings {
    type Error = ConfigError;

    fn try_from(arguments: Arguments) -> Result<Self, ConfigError> {
        let password = Password::from(arguments.reql_password.unwrap_or_default());
        let database = match (arguments.rethinkdb, arguments.reql_listen) {
            (Some(_), Some(_)) => return Err(ConfigError::PublishedCluster),
            (Some(url), None) => Database::Cluster(rethinkdb_url::parse(&url)?),
            (None, listen) => Database::Embedded(EmbeddedSettings {
                data: arguments.data,
                publish: listen.map(|listen| publish(listen, password)).transpose()?,
            }),
        };
        Ok(Self {
            listen: arguments.listen,
            tls: arguments
                .tls_cert
                .zip(arguments.tls_key)
                .map(|(certificate, key)| TlsFiles { certificate, key }),
            public_url: arguments.public_url,
            embedding: arguments.embed,
            trusted_proxies: arguments.trusted_proxy.into_iter().collect(),
            database,
            access: match (arguments.open, arguments.admin_token) {
                (true, _) => Access::Open,
                (false, Some(token)) => Access::Links(token),
                (false, None) => Access::ByAddress,
            },
            max_upload: arguments.max_upload,
            max_pixels: arguments.max_pixels,
            board_limits: BoardLimits {
                max_images: arguments.max_images,
                max_bytes: arguments.max_board_size,
            },
            upload_memory: arguments.upload_memory,
            upload_dir: arguments.upload_dir,
            undo_window: arguments.undo_window,
            metadata: if arguments.keep_metadata {
                Metadata::Keep
            } else {
                Metadata::Remove
            },
        })
    }
}

fn publish(listen: SocketAddr, password: Password) -> Result<Publish, ConfigError> {
    if password.is_empty() && !listen.ip().to_canonical().is_loopback() {
        return Err(ConfigError::PasswordMissing(listen));
    }
    Ok(Publish { listen, password })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Parses arguments. Tests run without our environment variables.
    fn settings(arguments: &[&str]) -> Result<Settings, ConfigError> {
        let program = ["realtime-photo"];
        Arguments::try_parse_from(program.iter().chain(arguments))
            .unwrap_or_else(|error| panic!("{error}"))
            .try_into()
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_default_is_the_embedded_engine_on_loopback() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.listen, "127.0.0.1:8000".parse().unwrap());
        assert!(matches!(settings.access, Access::ByAddress));
        assert_eq!(settings.max_upload, 16 << 20);
        assert_eq!(settings.max_pixels, 100_000_000);
        assert_eq!(settings.undo_window, crate::store::DEFAULT_UNDO_WINDOW);
        assert_eq!(settings.metadata, Metadata::Remove);
        let Database::Embedded(embedded) = settings.database else {
            panic!("a cluster")
        };
        assert_eq!(embedded.data, PathBuf::from("./data"));
        assert!(embedded.publish.is_none());
    }

    #[test]
    fn a_url_replaces_the_embedded_engine() {
        let settings = settings(&["--rethinkdb", "rethinkdb://h/b", "--data", "/x"]).unwrap();
        let Database::Cluster(cluster) = settings.database else {
            panic!("embedded")
        };
        assert_eq!(cluster.database, "b");
    }

    #[test]
    fn only_the_embedded_engine_can_be_published() {
        assert_eq!(
            settings(&[
                "--rethinkdb",
                "rethinkdb://h",
                "--reql-listen",
                "127.0.0.1:1"
            ])
            .err(),
            Some(ConfigError::PublishedCluster)
        );
    }

    #[test]
    fn publishing_beyond_loopback_needs_a_password() {
        for open in ["127.0.0.1:28015", "[::1]:28015", "[::ffff:127.0.0.1]:28015"] {
            assert!(settings(&["--reql-listen", open]).is_ok(), "{open}");
        }
        for open in ["0.0.0.0:28015", "[::]:28015", "192.0.2.1:28015"] {
            assert_eq!(
                settings(&["--reql-listen", open, "--reql-password", ""]).err(),
                Some(ConfigError::PasswordMissing(open.parse().unwrap()))
            );
            assert!(settings(&["--reql-listen", open, "--reql-password", "x"]).is_ok());
        }
    }

    #[test]
    fn an_admin_token_is_long_and_hidden() {
        let token = "S3CRET-S3CRET-S3CRET";
        let settings = settings(&["--admin-token", token]).unwrap();
        assert!(!format!("{settings:?}").contains(token));
        assert!(matches!(settings.access, Access::Links(given) if given.reveal() == token));
        for bad in ["short", "with a space in it, though long"] {
            assert!(parse_admin_token(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_upload_limit_is_at_most_that_of_a_query() {
        for (size, bytes) in [
            ("1048576", 1 << 20),
            ("500k", 500_000),
            ("500kB", 500_000),
            ("16MiB", 16 << 20),
            ("16 mib", 16 << 20),
            ("16Mi", 16 << 20),
            ("2M", 2_000_000),
            ("7B", 7),
            ("90MiB", 94_371_840),
        ] {
            assert_eq!(parse_max_upload(size), Ok(bytes), "{size}");
        }
        for size in [
            "0",
            "91MiB",
            "1GiB",
            "lots",
            "",
            "MiB",
            "-1",
            "1 2",
            "1MM",
            "1bb",
            "1ib",
            "99999999999999999999",
            "18446744073709551615k",
        ] {
            assert!(parse_max_upload(size).is_err(), "{size}");
        }
    }

    #[test]
    fn a_board_is_unlimited_unless_it_is_limited() {
        assert_eq!(settings(&[]).unwrap().board_limits, BoardLimits::default());
        let limited = settings(&["--max-images", "500", "--max-board-size", "2GB"]).unwrap();
        let expected = BoardLimits {
            max_images: Some(500),
            max_bytes: Some(2_000_000_000),
        };
        assert_eq!(limited.board_limits, expected);
        for invalid in [["--max-images", "0"], ["--max-board-size", "0"]] {
            let arguments = ["realtime-photo"].iter().chain(&invalid);
            assert!(Arguments::try_parse_from(arguments).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn several_proxies_can_be_trusted() {
        let one_by_one = [
            "--trusted-proxy",
            "127.0.0.1",
            "--trusted-proxy",
            "10.0.0.0/8",
        ];
        let together = ["--trusted-proxy", "127.0.0.1,10.0.0.0/8"];
        let proxies = |arguments: &[&str]| settings(arguments).unwrap().trusted_proxies;
        assert_eq!(proxies(&one_by_one), proxies(&together));
        assert_eq!(proxies(&[]), TrustedProxies::default());
        let invalid = ["realtime-photo", "--trusted-proxy", "proxy.example"];
        assert!(Arguments::try_parse_from(invalid).is_err());
    }

    #[test]
    fn the_memory_for_uploads_has_a_minimum() {
        assert_eq!(settings(&[]).unwrap().upload_memory, 256 << 20);
        assert_eq!(parse_upload_memory("16MiB"), Ok(16 << 20));
        for size in ["0", "15MiB", "lots", ""] {
            assert!(parse_upload_memory(size).is_err(), "{size}");
        }
    }

    #[test]
    fn the_undo_window_is_at_most_a_year() {
        assert_eq!(parse_undo_window("365d"), Ok(LONGEST_UNDO_WINDOW));
        for (window, seconds) in [
            ("0", 0),
            ("0s", 0),
            ("90s", 90),
            ("10m", 600),
            ("10 m", 600),
            ("10M", 600),
            ("1h", 3600),
            ("2H", 7200),
            ("7d", 604_800),
        ] {
            assert_eq!(
                parse_undo_window(window),
                Ok(Duration::from_secs(seconds)),
                "{window}"
            );
        }
        for window in [
            "366d",
            "1",
            "90",
            "long",
            "",
            "s",
            "-1s",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse_undo_window(window).is_err(), "{window}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let url = settings(&["--rethinkdb", "rethinkdb://u:S3CRET@h"]).unwrap();
        let published =
            settings(&["--reql-listen", "[::1]:1", "--reql-password", "S3CRET"]).unwrap();
        assert!(!format!("{url:?} {published:?}").contains("S3CRET"));
        let error = settings(&["--rethinkdb", "rethinkdb://u:S3CRET"]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("S3CRET"));
    }
}
