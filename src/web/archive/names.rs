//! The names of files that stand together in one folder.

use std::collections::HashMap;

/// How many bytes a name may have on most file systems.
const LONGEST: usize = 255;

/// Gives every file a name of its own: a second `cat.png` becomes `cat (2).png`. Upper and lower case count as the same,
/// as on Windows and macOS.
#[derive(Default)]
pub(crate) struct Names {
    /// For each name that was given, in lower case, the number that the next of that name is tried with.
    given: HashMap<String, u32>,
}

impl Names {
    /// The name for the next file, at most 255 bytes long.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let first = numbered(name, 1);
        let key = first.to_lowercase();
        let Some(&next) = self.given.get(&key) else {
            self.given.insert(key, 2);
            return first;
        };
        for number in next.. {
            let candidate = numbered(name, number);
            let candidate_key = candidate.to_lowercase();
            if !self.given.contains_key(&candidate_key) {
                self.given.insert(candidate_key, 2);
                self.given.insert(key, number + 1);
                return candidate;
            }
        }
        unreachable!("there are fewer files than numbers")
    }
}

/// A name with a number before its extension, but not with the number 1; the stem is cut if it is too long.
fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 16 => name.split_at(dot),
        _ => (name, ""),
    };
    let suffix = match number {
        1 => extension.to_owned(),
        _ => format!(" ({number}){extension}"),
    };
    let mut end = stem.len().min(LONGEST - suffix.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &stem[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_again_are_numbered() {
        let mut names = Names::default();
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
    fn long_names_are_cut_and_stay_different() {
        let mut names = Names::default();
        let long = format!("{}.png", "猫".repeat(255));
        for _ in 0..3 {
            let unique = names.unique(&long);
            assert!(
                unique.len() <= LONGEST && unique.ends_with(".png"),
                "{unique}"
            );
        }
        assert_eq!(names.given.len(), 3);
    }

    #[test]
    fn ten_thousand_of_one_name_are_numbered_at_once() {
        let mut names = Names::default();
        let last = (0..10_000).map(|_| names.unique("image.jpg")).last();
        assert_eq!(last.as_deref(), Some("image (10000).jpg"));
    }
}
