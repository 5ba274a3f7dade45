//! Sanitizing of texts that clients send.

/// Maximum length of a file name in characters, as on most file systems.
const MAX_FILE_NAME: usize = 255;

/// Returns the base name of a path, without control characters and truncated to 255 characters; `None` if nothing is
/// left.
pub fn clean_file_name(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let visible: String = base.chars().filter(|&c| !is_control(c)).collect();
    let short: String = visible.trim().chars().take(MAX_FILE_NAME).collect();
    let short = short.trim_end();
    (!short.is_empty() && short != "." && short != "..").then(|| short.to_owned())
}

/// Removes control characters except line feeds, and surrounding white space; `None` if nothing is left.
pub(super) fn clean_text(text: &str) -> Option<String> {
    let visible: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|&c| c == '\n' || !is_control(c))
        .collect();
    let trimmed = visible.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// Returns `true` for control characters, line and paragraph separators, and characters that change the writing
/// direction: with those, `gpj.exe` displays as `exe.jpg`.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_name_of_a_path_is_kept() {
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
    fn a_long_name_is_truncated_to_255_characters() {
        assert_eq!(clean_file_name(&"é".repeat(300)), Some("é".repeat(255)));
        assert_eq!(
            clean_file_name(&format!("{} b", "a".repeat(254))),
            Some("a".repeat(254))
        );
    }

    #[test]
    fn a_text_keeps_its_line_feeds() {
        assert_eq!(
            clean_text(" two\r\nlines\u{7} ").as_deref(),
            Some("two\nlines")
        );
        assert_eq!(clean_text(" \r\n "), None);
    }
}
