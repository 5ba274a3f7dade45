//! An engine to test.

use realtime_photo::engine::{Engine, EngineSettings};
use tempfile::TempDir;

use crate::client::Client;

/// An engine with a temporary data folder, and with an empty password unless a test sets one.
pub(crate) struct TestEngine {
    pub(crate) engine: Engine,
    _folder: TempDir,
}

impl TestEngine {
    pub(crate) fn start() -> Self {
        Self::start_with_password("")
    }

    pub(crate) fn start_with_password(password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::start(EngineSettings {
            data_dir: folder.path().join("data"),
            listen: ([127, 0, 0, 1], 0).into(),
            password: Some(password.to_owned()),
        });
        Self {
            engine: engine.unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::log_in(self.engine.address(), self.engine.password()).unwrap()
    }
}
