//! Answers to an upload that the disk has no room for, or that it fails to keep.

use std::io;

use crate::web::http::problem::Problem;

/// Answers 507 if the disk is full, 503 if it fails or is read-only, and 500 for other errors, which are logged.
pub(crate) fn disk_problem(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            log::warn!("rejected an upload: the disk for uploads is full: {error}");
            Problem::disk_full()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            log::error!("rejected an upload: the disk for uploads is read-only");
            Problem::disk_failed()
        }
        _ if is_failure(&error) => {
            log::error!("rejected an upload: the disk for uploads fails: {error}");
            Problem::disk_failed()
        }
        _ => {
            log::error!("cannot keep an upload: {error}");
            Problem::internal()
        }
    }
}

/// Returns `true` for the error of a disk that fails, which has no [`io::ErrorKind`].
#[cfg(unix)]
fn is_failure(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::IO)
}

/// Always `false`: other systems have many errors for it.
#[cfg(not(unix))]
fn is_failure(_error: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let status = |kind: io::ErrorKind| disk_problem(kind.into()).status_code().as_u16();
        assert_eq!(status(io::ErrorKind::StorageFull), 507);
        assert_eq!(status(io::ErrorKind::QuotaExceeded), 507);
        assert_eq!(status(io::ErrorKind::ReadOnlyFilesystem), 503);
        #[cfg(unix)]
        assert_eq!(
            disk_problem(rustix::io::Errno::IO.into()).status_code(),
            503
        );
        assert_eq!(status(io::ErrorKind::PermissionDenied), 500);
    }
}
