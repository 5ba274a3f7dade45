//! The threads that check, decode and scale images.

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

/// What is added to the niceness of the threads: beside a thread of the server each has a tenth of a processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// As many threads as there are processors. They give way to the threads that serve viewers, so that moves stay prompt
/// while a hall full of phones adds photos.
pub(crate) struct ImageThreads(ThreadPool);

impl ImageThreads {
    /// # Panics
    ///
    /// If the system refuses the threads.
    pub(crate) fn start() -> Self {
        let threads = ThreadPoolBuilder::new()
            .thread_name(|_| "image".to_owned())
            .start_handler(|_| give_way())
            // The panic was logged, and `run` tells of it.
            .panic_handler(|_| ())
            .build();
        Self(threads.expect("the system grants a few threads"))
    }

    /// Computes on one of the threads, in turn. Returns `None` if `compute` panics. What has begun goes on if the caller
    /// is cancelled.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.0.spawn(move || {
            // A caller that was cancelled needs no result.
            let _ = sender.send(compute());
        });
        receiver.await.ok()
    }
}

/// Lowers the priority of the thread. Only on Linux has each thread one of its own (nice(2), “C library/kernel
/// differences”); elsewhere that of the process would change.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        log::info!("images are decoded at the usual priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_leaves_the_threads_working() {
        let threads = ImageThreads::start();
        for _ in 0..8 {
            assert_eq!(
                threads.run(|| panic!("as a decoder might")).await,
                None::<()>
            );
        }
        assert_eq!(threads.run(|| 1).await, Some(1));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_give_way_and_others_do_not() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let usual = niceness();
        let lowered = (usual + NICENESS).min(19);
        assert_eq!(ImageThreads::start().run(niceness).await, Some(lowered));
        assert_eq!(niceness(), usual);
    }
}
