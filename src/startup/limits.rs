//! Limit on open files and sockets of the process.

/// Asks for as many open files as the system allows, and logs how many that is: it bounds the number of viewers.
pub(super) fn raise_open_files(is_embedded: bool) {
    // Its socket with a second handle through which it can be ended, and its changefeed's connection, both ends of it
    // if the engine is in this process.
    let files_per_viewer = if is_embedded { 4 } else { 3 };
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => log::info!(
            "up to {files} files and sockets may be open, enough for some {} viewers",
            files / files_per_viewer
        ),
        Err(error) => log::warn!("the limit of open files cannot be raised: {error}"),
    }
}
