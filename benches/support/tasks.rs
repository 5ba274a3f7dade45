//! Tasks that read until they are stopped.

use tokio::task::JoinHandle;

/// Stops tasks, and waits until they have ended: they must not meet the end of the server that they read from.
pub(crate) async fn stop<T>(tasks: Vec<JoinHandle<T>>) {
    for task in tasks {
        task.abort();
        // The error says that it was stopped.
        drop(task.await);
    }
}
