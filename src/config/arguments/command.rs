//! The subcommands.

use std::path::PathBuf;

use crate::store::Token;

/// A task other than running the server.
#[derive(clap::Subcommand)]
pub(super) enum Subcommand {
    /// Read everything in the folder of a server that is stopped, and list what is damaged
    ///
    /// Verifies the checksums of all documents, files and pages, and changes nothing. Exits with 0 if nothing is
    /// damaged, with 1 if something is, and with 2 if the folder cannot be checked.
    Check,
    /// Return the space that the folder of a server that is stopped does not use
    ///
    /// Also mends the list of free pages. A running server returns space by itself, but needs space on the disk for it.
    Compact,
    /// Fetch a backup of a running server, with all boards, photos and links, and write it to a file
    ///
    /// It is verified, and complete once the file is there. Exits with 1 if it lacks photos that are damaged, which are
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
    /// Ask a running server if it is ready, for a container or a supervisor
    ///
    /// Exits with 0 if it reaches its database and has room for photos, and with 1 otherwise.
    Health {
        /// The address of the server [default: the one of --listen, on this machine]
        #[arg(long, value_name = "URL")]
        server: Option<String>,
    },
    /// Write the manual pages into a folder
    Manual {
        /// The folder, which exists
        folder: PathBuf,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Restore a backup into an empty data folder, or with --rethinkdb into an empty database of a RethinkDB
    ///
    /// The backup is verified before anything is written.
    Restore {
        /// The file to read
        file: PathBuf,
    },
}
