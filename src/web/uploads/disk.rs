//! Answers to an upload that the disk has no room for, or that it fails to keep.

use std::io;

use crate::web::http::problem::Problem;

/// Answers 507 if the disk is full, and 500 for other errors, which are logged.
pub(crate) fn disk_problem(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            log::warn!("rejected an upload: the disk for uploads is full: {error}");
            Problem::disk_full()
        }
        _ => {
            log::error!("cannot keep an upload: {error}");
            Problem::internal()
        }
    }
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
        assert_eq!(status(io::ErrorKind::PermissionDenied), 500);
    }
}
