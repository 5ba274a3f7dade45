//! Ranges and lists of primary keys. An [`ImageId`](crate::image::ImageId) is a UUIDv7, so its text sorts by creation
//! time.

use reql::{Command, r};

use crate::image::ImageId;

/// The rows of `table` from `lower` (inclusive) to `upper` (exclusive).
pub(super) fn between(table: Command, lower: &str, upper: &str) -> Command {
    table.between(r.args((lower, upper)))
}

/// The rows of `table` with these ids.
pub(super) fn get_all<'a>(table: Command, ids: impl IntoIterator<Item = &'a ImageId>) -> Command {
    let mut ids = ids.into_iter().map(ImageId::to_string);
    // No row has the empty key.
    let rows = table.get_all(ids.next().unwrap_or_default());
    ids.fold(rows, |rows, id| rows.with_arg(r.expr(id)))
}

/// A lower bound of the ids created at `ms` or later, in milliseconds since 1970: their first 48 bits.
pub(super) fn first_id(ms: u64) -> String {
    let digits = format!("{ms:012x}");
    format!("{}-{}", &digits[..8], &digits[8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_a_time_separates_earlier_ids_from_later_ones() {
        let ms = 0x0194_bd2c_7a00;
        let first = first_id(ms);
        assert_eq!(first, "0194bd2c-7a00");
        assert!(first.as_str() < "0194bd2c-7a00-7000-8000-000000000000");
        assert!(first.as_str() > "0194bd2c-79ff-7fff-bfff-ffffffffffff");
        let id = "0194bd2c-7a00-7000-8000-000000000000";
        assert_eq!(id.parse::<ImageId>().unwrap().ms(), 0x0194_bd2c_7a00);
    }
}
