//! The command line and the environment, validated as [`Settings`].

mod access;
mod command;
mod database;
mod error;
mod limits;
mod network;
mod observing;

use clap::Parser;

use self::access::AccessArguments;
use self::command::Subcommand;
use self::database::DatabaseArguments;
pub use self::error::ConfigError;
use self::limits::LimitArguments;
use self::network::NetworkArguments;
use self::observing::ObservingArguments;
use super::settings::{Settings, Task, TlsFiles};

/// A realtime photo board: drop a photo on the page, and everyone sees it at once.
///
/// The photos are kept in a RethinkDB, if one is given by --rethinkdb, and otherwise in the folder that --data names,
/// by the engine that is built in. It runs until Ctrl-C or SIGTERM.
#[derive(Parser)]
#[command(name = "realtime-photo", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommand>,

    #[command(flatten)]
    network: NetworkArguments,

    #[command(flatten)]
    access: AccessArguments,

    #[command(flatten)]
    database: DatabaseArguments,

    #[command(flatten)]
    limits: LimitArguments,

    #[command(flatten)]
    observing: ObservingArguments,
}

impl Arguments {
    /// Returns the task that the arguments describe.
    ///
    /// # Errors
    ///
    /// If the arguments contradict each other.
    pub fn into_task(self) -> Result<Task, ConfigError> {
        let data = self.database.data.clone();
        match self.command {
            None => Settings::try_from(self).map(|settings| Task::Serve(Box::new(settings))),
            Some(Subcommand::Check) => Ok(Task::Check { data }),
            Some(Subcommand::Compact) => Ok(Task::Compact { data }),
            Some(Subcommand::Backup {
                file,
                server,
                token,
            }) => Ok(Task::Backup {
                file,
                server,
                token,
            }),
            Some(Subcommand::Health { server }) => Ok(Task::Health {
                server: server.unwrap_or_else(|| self.network.own_url()),
            }),
            Some(Subcommand::Manual { folder }) => Ok(Task::Manual { folder }),
            Some(Subcommand::Completions { shell }) => Ok(Task::Completions { shell }),
            Some(Subcommand::Restore { file }) => {
                let database = self.database.without_publication().try_into()?;
                Ok(Task::Restore { file, database })
            }
        }
    }
}

impl TryFrom<Arguments> for Settings {
    type Error = ConfigError;

    fn try_from(arguments: Arguments) -> Result<Self, ConfigError> {
        let Arguments {
            network,
            access,
            database,
            limits,
            observing,
            command: _,
        } = arguments;
        let tls = network.tls_cert.zip(network.tls_key);
        Ok(Self {
            listen: network.listen,
            metrics_listen: observing.metrics_listen,
            log_format: observing.log_format,
            tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
            public_url: network.public_url,
            embedding: network.embed,
            trusted_proxies: network.trusted_proxy.into_iter().collect(),
            database: database.try_into()?,
            access: access.try_into()?,
            max_upload: limits.max_upload,
            max_pixels: limits.max_pixels,
            board_limits: limits.of_boards(),
            upload_memory: limits.upload_memory,
            metadata: limits.metadata(),
            upload_dir: limits.upload_dir,
            undo_window: limits.undo_window,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::CommandFactory as _;

    use super::*;
    use crate::config::settings::{Access, Database};
    use crate::image::Metadata;
    use crate::store::BoardLimits;
    use crate::web::TrustedProxies;

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
        assert_eq!(settings.upload_memory, 256 << 20);
        assert_eq!(settings.undo_window, crate::store::DEFAULT_UNDO_WINDOW);
        assert_eq!(settings.metadata, Metadata::Remove);
        let Database::Embedded(embedded) = settings.database else {
            panic!("a cluster")
        };
        assert_eq!(embedded.data, PathBuf::from("./data"));
        assert!(embedded.publish.is_none());
    }

    #[test]
    fn health_asks_the_server_with_the_same_options() {
        let server = |arguments: &[&str]| {
            let arguments = ["realtime-photo"].iter().chain(arguments);
            match Arguments::try_parse_from(arguments).unwrap().into_task() {
                Ok(Task::Health { server }) => server,
                _ => panic!("another task"),
            }
        };
        assert_eq!(server(&["health"]), "http://127.0.0.1:8000");
        for (listen, url) in [
            ("0.0.0.0:9000", "http://127.0.0.1:9000"),
            ("[::]:9000", "http://[::1]:9000"),
            ("192.0.2.7:80", "http://192.0.2.7:80"),
        ] {
            assert_eq!(server(&["--listen", listen, "health"]), url);
        }
        let other = ["health", "--server", "http://192.0.2.8"];
        assert_eq!(server(&other), "http://192.0.2.8");
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
    fn only_a_cluster_has_more_than_one_replica() {
        let replicas = |arguments: &[&str]| match settings(arguments).unwrap().database {
            Database::Cluster(cluster) => cluster.replicas,
            Database::Embedded(_) => panic!("embedded"),
        };
        let url = ["--rethinkdb", "rethinkdb://h,i,j"];
        assert_eq!(replicas(&url), 1);
        assert_eq!(replicas(&[&url[..], &["--replicas", "3"]].concat()), 3);
        assert_eq!(
            settings(&["--replicas", "3"]).err(),
            Some(ConfigError::EmbeddedReplicas)
        );
        assert!(settings(&["--replicas", "1"]).is_ok());
        for invalid in ["0", "256", "-1", "many"] {
            let argument = format!("--replicas={invalid}");
            let arguments = ["realtime-photo", url[0], url[1], &argument];
            assert!(Arguments::try_parse_from(arguments).is_err(), "{invalid}");
        }
    }

    #[test]
    fn either_everybody_has_access_or_who_has_a_link() {
        let token = ["--admin-token", "a-token-of-the-operator"];
        let access = |arguments: &[&str]| settings(arguments).map(|settings| settings.access);
        assert!(matches!(access(&["--open"]), Ok(Access::Open)));
        assert!(matches!(access(&token), Ok(Access::Links(_))));
        let both = [&token[..], &["--open"]].concat();
        assert_eq!(access(&both).err(), Some(ConfigError::OpenWithToken));
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
    fn an_admin_token_is_hidden() {
        let token = "S3CRET-S3CRET-S3CRET";
        let settings = settings(&["--admin-token", token]).unwrap();
        assert!(!format!("{settings:?}").contains(token));
        assert!(matches!(settings.access, Access::Links(given) if given.reveal() == token));
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
    fn passwords_are_never_shown() {
        let url = settings(&["--rethinkdb", "rethinkdb://u:S3CRET@h"]).unwrap();
        let published =
            settings(&["--reql-listen", "[::1]:1", "--reql-password", "S3CRET"]).unwrap();
        assert!(!format!("{url:?} {published:?}").contains("S3CRET"));
        let error = settings(&["--rethinkdb", "rethinkdb://u:S3CRET"]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("S3CRET"));
    }
}
