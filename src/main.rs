//! The realtime-photo server: reads the command line, starts logging, builds the application and runs it.

mod logging;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{CommandFactory as _, Parser as _};
use realtime_photo::config::{Arguments, LogFormat, Settings, Task};
use realtime_photo::maintenance::{backup, check, compact, health, restore};
use realtime_photo::startup::Application;

/// Returns the memory of large uploads to the system, which that of glibc keeps. `.cargo/config.toml` configures it.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Starts the thread that returns free memory also while nothing is allocated. Systems without such threads, such as
/// macOS, return it with the next allocations. Its authors do not support them with musl.
#[cfg(not(target_env = "msvc"))]
fn return_free_memory() {
    use tikv_jemalloc_ctl::{background_thread, max_background_threads};
    if cfg!(not(target_env = "musl")) {
        let _ = max_background_threads::write(1).and_then(|()| background_thread::write(true));
    }
}

fn main() -> ExitCode {
    #[cfg(not(target_env = "msvc"))]
    return_free_memory();
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nowhere to say it if this fails.
            let _ = writeln!(io::stderr(), "realtime-photo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.into_task()? {
        Task::Serve(settings) => {
            logging::start(settings.log_format);
            serve(*settings)?;
            Ok(ExitCode::SUCCESS)
        }
        // Without the log, which would tell of the damage, too.
        Task::Compact { data } => {
            compact(&data, &mut io::stdout())?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Backup {
            file,
            server,
            token,
        } => block_on(async { Ok(backup(&file, &server, token.as_ref()).await?) }),
        Task::Health { server } => block_on(async {
            health(&server).await?;
            Ok(ExitCode::SUCCESS)
        }),
        Task::Manual { folder } => {
            clap_mangen::generate_to(Arguments::command(), folder)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "realtime-photo", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Task::Restore { file, database } => {
            logging::start(LogFormat::Text);
            block_on(async {
                restore(&file, database).await?;
                Ok(ExitCode::SUCCESS)
            })
        }
        Task::Check { data } => Ok(check(&data, &mut io::stdout(), &mut io::stderr())?),
    }
}

fn serve(settings: Settings) -> anyhow::Result<()> {
    block_on(async {
        let application = Application::build(settings).await?;
        announce(&application);
        Ok(application.run_until_stopped().await?)
    })
}

/// Runs a future to its end, on threads of its own.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow!("cannot start threads: {error}"))?;
    let result = runtime.block_on(future);
    // Whatever still runs was given its time.
    runtime.shutdown_background();
    result
}

/// Tells on standard output where to go. That nobody reads it is no reason to stop.
fn announce(application: &Application) {
    let _ = io::stdout().write_all(application.announcement().as_bytes());
}
