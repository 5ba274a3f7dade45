//! Threads on which images are decoded and scaled.

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// By how much the threads are nicer than others (`nice(2)`), which then get three times their time of a processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// As many threads as there are processors. Changes on the way to viewers, and everything else on the machine, go before
/// their work where the system knows priorities of threads.
pub(crate) struct ImageThreads {
    /// Used for its blocking threads alone. `None` while it is dropped.
    runtime: Option<Runtime>,
}

impl ImageThreads {
    /// # Panics
    ///
    /// If the system refuses the file descriptors of a runtime.
    pub(crate) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_current_thread()
            .thread_name("images")
            .max_blocking_threads(threads)
            .on_thread_start(lower_priority)
            .build()
            .expect("a runtime without drivers needs nothing of the system");
        Self {
            runtime: Some(runtime),
        }
    }

    /// Runs `work` on one of the threads, once one is free.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let runtime = self.runtime.as_ref();
        runtime.expect("there until the drop").spawn_blocking(work)
    }
}

impl Drop for ImageThreads {
    fn drop(&mut self) {
        // Waits for no thread: that would block a runtime that drops this.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lowers the priority of this thread.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // Of this thread alone: Linux gives each its own. The only error would be a process that does not exist.
    let _ = rustix::process::nice(NICENESS);
}

/// Does nothing: other systems know the priority of whole processes alone, or have interfaces of their own.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_threads_go_on() {
        let threads = ImageThreads::new();
        assert!(threads.run(|| panic!("on purpose")).await.is_err());
        assert_eq!(threads.run(|| 1).await.unwrap(), 1);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_are_nicer_than_others() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let threads = ImageThreads::new();
        let theirs = threads.run(niceness).await.unwrap();
        assert_eq!(theirs, (niceness() + NICENESS).min(19));
    }
}
