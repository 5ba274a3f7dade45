//! Unique file names within one folder.

use std::collections::HashMap;

/// The longest file name of most file systems, in bytes.
const MAX_LENGTH: usize = 255;

/// Makes file names unique: a second `cat.png` becomes `cat (2).png`. Case is ignored, as on Windows and macOS.
#[derive(Default)]
pub(crate) struct UniqueNames {
    /// Each name in use, in lower case, with the next number to try for it.
    used: HashMap<String, u32>,
}

impl UniqueNames {
    /// Returns a unique variant of `name`, at most 255 bytes long.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let first = numbered(name, 1);
        let key = first.to_lowercase();
        let Some(&next) = self.used.get(&key) else {
            self.used.insert(key, 2);
            return first;
        };
        for number in next.. {
            let candidate = numbered(name, number);
            let candidate_key = candidate.to_lowercase();
            if !self.used.contains_key(&candidate_key) {
                self.used.insert(candidate_key, 2);
                self.used.insert(key, number + 1);
                return candidate;
            }
        }
        unreachable!("there are fewer files than numbers")
    }
}

/// Inserts a number before the extension, except the number 1, and truncates the stem if necessary.
fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = match name.rfind('.') {
        // A longer "extension" is part of a sentence.
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    };
    let suffix = match number {
        1 => extension.to_owned(),
        _ => format!(" ({number}){extension}"),
    };
    let mut end = stem.len().min(MAX_LENGTH - suffix.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &stem[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_numbered() {
        let mut names = UniqueNames::default();
        for (name, unique) in [
            ("cat.png", "cat.png"),
            ("cat (2).png", "cat (2).png"),
            ("cat.png", "cat (3).png"),
            ("CAT.PNG", "CAT (4).PNG"),
            ("cat (2).png", "cat (2) (2).png"),
            (".hidden", ".hidden"),
            (".hidden", ".hidden (2)"),
            ("a.b c.tar.gz", "a.b c.tar.gz"),
            ("a.b c.tar.gz", "a.b c.tar (2).gz"),
            ("😀", "😀"),
            ("😀", "😀 (2)"),
        ] {
            assert_eq!(names.unique(name), unique);
        }
    }

    #[test]
    fn long_names_are_truncated_and_stay_unique() {
        let mut names = UniqueNames::default();
        let long = format!("{}.png", "猫".repeat(255));
        for _ in 0..3 {
            let unique = names.unique(&long);
            assert!(
                unique.len() <= MAX_LENGTH && unique.ends_with(".png"),
                "{unique}"
            );
        }
        assert_eq!(names.used.len(), 3);
    }

    #[test]
    fn numbering_ten_thousand_equal_names_is_fast() {
        let mut names = UniqueNames::default();
        let last = (0..10_000).map(|_| names.unique("image.jpg")).last();
        assert_eq!(last.as_deref(), Some("image (10000).jpg"));
    }
}
