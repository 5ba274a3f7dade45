//! How many files and sockets the process may have open.

/// What a viewer costs: its socket, and both ends of its changefeed's connection if the engine is in this process.
const FILES_PER_VIEWER: u64 = 3;

/// Asks for as many open files as the system allows, and logs how many that is: it bounds the number of viewers.
pub(super) fn raise_open_files() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => log::info!(
            "up to {files} files and sockets may be open, enough for some {} viewers",
            files / FILES_PER_VIEWER
        ),
        Err(error) => log::warn!("the limit of open files cannot be raised: {error}"),
    }
}
