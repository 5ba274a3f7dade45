//! Texts that people give, made fit to be shown to others.

/// How long a file name may be, in characters, as on most file systems.
const MAX_FILE_NAME: usize = 255;

/// A base name without control characters, at most 255 characters long; `None` if nothing of it is left.
pub fn clean_file_name(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let visible: String = base.chars().filter(|&c| !is_control(c)).collect();
    let short: String = visible.trim().chars().take(MAX_FILE_NAME).collect();
    let short = short.trim_end();
    (!short.is_empty() && short != "." && short != "..").then(|| short.to_owned())
}

/// A text of one or more lines without other control characters; `None` if nothing of it is left.
pub(super) fn clean_text(text: &str) -> Option<String> {
    let visible: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|&c| c == '\n' || !is_control(c))
        .collect();
    let trimmed = visible.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Control characters, line and paragraph separators, and what turns the direction of the text around it (with which
/// `gpj.exe` reads as a picture).
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_the_last_part_is_kept() {
        for (given, kept) in [
            ("cat.png", "cat.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\cat.png", "cat.png"),
            ("  a \"quoted\" name .png ", "a \"quoted\" name .png"),
            ("👩‍👩‍👧 family.jpg", "👩‍👩‍👧 family.jpg"),
            ("line\r\nbreak\0\u{7f}\u{85}.png", "linebreak.png"),
            ("\u{202e}gnp.exe", "gnp.exe"),
            (".hidden", ".hidden"),
        ] {
            assert_eq!(clean_file_name(given).as_deref(), Some(kept));
        }
        for empty in ["", " ", "/", "a/", "..", "../..", ".", "\n\n", "\u{202e}"] {
            assert_eq!(clean_file_name(empty), None, "{empty:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_by_characters() {
        assert_eq!(clean_file_name(&"é".repeat(300)), Some("é".repeat(255)));
        assert_eq!(
            clean_file_name(&format!("{} b", "a".repeat(254))),
            Some("a".repeat(254))
        );
    }

    #[test]
    fn a_text_keeps_its_lines() {
        assert_eq!(
            clean_text(" two\r\nlines\u{7} ").as_deref(),
            Some("two\nlines")
        );
        assert_eq!(clean_text(" \r\n "), None);
    }
}
