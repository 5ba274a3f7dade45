//! Tests of the embedded engine with a test for each recording, and tests that kill the engine.
//!
//! This target has a `main` of its own: the recordings are data, and the process to be killed is this program again.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod answers;
mod client;
mod crash;
mod golden;
mod pool;
mod test_engine;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use pool::EnginePool;

fn main() -> ExitCode {
    if crash::is_child() {
        crash::write_until_killed();
    }
    let arguments = Arguments::from_args();
    // The answers expect an engine on which nothing but their own table was ever created.
    let (for_conversations, for_answers) = (EnginePool::default(), EnginePool::default());
    let mut tests = golden::tests(&for_conversations);
    tests.extend(answers::tests(&for_answers));
    tests.extend(crash::tests());
    libtest_mimic::run(&arguments, tests).exit_code()
}
