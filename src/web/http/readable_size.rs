//! Sizes in texts.

/// Formats a size in MB as file managers show it, with powers of 1,024 and at most one decimal; in KB below 1 MB.
pub(crate) fn readable_size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        return format!("{} KB", bytes >> 10);
    }
    let tenths = (bytes * 10) >> 20;
    match tenths % 10 {
        0 => format!("{} MB", tenths / 10),
        tenth => format!("{}.{tenth} MB", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_named_in_megabytes() {
        for (bytes, text) in [
            (16 << 20, "16 MB"),
            (90 << 20, "90 MB"),
            (2_000_000, "1.9 MB"),
            (500_000, "488 KB"),
        ] {
            assert_eq!(readable_size(bytes), text);
        }
    }
}
