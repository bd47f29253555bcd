//! Texts brought to one form: once to compare and read them, once to keep them.

/// The form in which texts are compared and read: full-width characters become half-width, every blank (also those that
/// do not break) a plain space and a few signs their plain form; what cannot be seen is left out, blanks at the ends too.
#[must_use]
pub fn normal(text: &str) -> String {
    let narrowed: String = text
        .chars()
        .filter(|&c| !is_unseen(c))
        .map(narrow)
        .collect();
    narrowed.trim().to_owned()
}

/// Whether nothing of a text can be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_space(c) || is_unseen(c))
}

/// The [`normal`] form without any blank: headings and single words are spread out to look even (合 计).
#[must_use]
pub fn squeezed(text: &str) -> String {
    let seen = text.chars().filter(|&c| !is_unseen(c)).map(narrow);
    seen.filter(|c| !c.is_whitespace()).collect()
}

/// A text as it is kept, on one line: characters stay as they were written, what cannot be seen is left out, blanks are
/// single ones and none stands where a line was broken between two Chinese characters.
#[must_use]
pub fn tidy(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut blank, mut broken) = (false, false);
    for c in text.chars() {
        if matches!(c, '\r' | '\n') {
            broken = true;
        } else if is_space(c) {
            blank = true;
        } else if !is_unseen(c) {
            let joins = broken
                && !kept
                    .chars()
                    .next_back()
                    .is_some_and(|last| last.is_ascii() && c.is_ascii());
            if (blank || broken) && !joins && !kept.is_empty() {
                kept.push(' ');
            }
            (blank, broken) = (false, false);
            kept.push(c);
        }
    }
    kept
}

/// As [`tidy`], line by line; empty lines are left out.
#[must_use]
pub fn tidy_lines(text: &str) -> String {
    let lines = text.lines().flat_map(|line| line.split('\r')).map(tidy);
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// The plain form of a character.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => u32::from(c)
            .checked_sub(0xFEE0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        '\u{2212}' | '\u{2010}' | '\u{2011}' | '\u{FE63}' => '-',
        '\u{FFE5}' => '¥',
        '〔' | '【' => '[',
        '〕' | '】' => ']',
        '∶' | '︰' | '﹕' => ':',
        blank if is_space(blank) => ' ',
        other => other,
    }
}

/// Whether it is a blank or ends a line.
fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{180E}'
}

/// Whether a character cannot be seen and is no blank either.
fn is_unseen(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(
            c,
            '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_and_unseen_characters_do_not_matter_for_reading() {
        assert_eq!(normal("\u{3000}１２．６\u{00A0}亿元\u{200B} "), "12.6 亿元");
        assert_eq!(normal("（ＡＢＣ）：％，"), "(ABC):%,");
        assert_eq!(squeezed("合 \u{3000}计\n"), "合计");
        assert_eq!(normal("￥５"), "¥5");
    }

    #[test]
    fn a_name_is_kept_as_it_was_written_but_for_what_cannot_be_seen() {
        assert_eq!(
            tidy("\u{3000}某港区\n航道工程（一期）\u{200B} "),
            "某港区航道工程（一期）"
        );
        assert_eq!(tidy("LNG\nterminal"), "LNG terminal");
        assert_eq!(tidy("某港  二期\u{00A0}工程"), "某港 二期 工程");
        assert_eq!(tidy("\u{FEFF}\r\n"), "");
        assert_eq!(
            tidy_lines("一、航道\r\n\r\n 二、 泊位\n"),
            "一、航道\n二、 泊位"
        );
    }
}
