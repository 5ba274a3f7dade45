//! Engines that several tests use, one after the other.

use std::sync::{Arc, Mutex};

use crate::test_engine::TestEngine;

/// Running engines. Starting one takes longer than most recordings.
#[derive(Clone, Default)]
pub(crate) struct EnginePool(Arc<Mutex<Vec<TestEngine>>>);

impl EnginePool {
    /// Calls `test` with an engine that no other test uses at the same time. An engine whose test panics is not used
    /// again.
    pub(crate) fn with_engine<T>(&self, test: impl FnOnce(&TestEngine) -> T) -> T {
        let idle = self.0.lock().unwrap().pop();
        let engine = idle.unwrap_or_else(TestEngine::start);
        let result = test(&engine);
        self.0.lock().unwrap().push(engine);
        result
    }
}
