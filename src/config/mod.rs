//! The settings of the program, read from the command line and the environment.

mod arguments;
mod rethinkdb_url;
mod settings;

pub use arguments::{Arguments, ConfigError};
pub use rethinkdb_url::{InvalidUrl, parse as parse_rethinkdb_url};
pub use settings::{
    Access, Database, EmbeddedSettings, LogFormat, Publish, Settings, Task, TlsFiles,
};
