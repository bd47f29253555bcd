//! Text that people enter (文本): not empty, not too long, and nothing in it that hides.

use std::fmt;

/// A text of 1 to `MAX` characters (Unicode scalar values), without white space at its ends
/// and without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Reads one line. White space at the ends is taken off first.
    ///
    /// # Errors
    /// [`TextError`] if nothing is left, too much is left, or a control character is among it.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        Self::check(text.trim(), is_hidden)
    }

    /// Reads a text that may have several lines and tabs. White space at the ends is taken off first,
    /// and the line ends of Windows become `'\n'`.
    ///
    /// # Errors
    /// As for [`Text::parse`].
    pub fn parse_multiline(text: &str) -> Result<Self, TextError> {
        let text = text.replace("\r\n", "\n");
        Self::check(text.trim(), |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
    }

    fn check(text: &str, refused: impl Fn(char) -> bool) -> Result<Self, TextError> {
        let got = text.chars().count();
        if got == 0 {
            return Err(TextError::Empty);
        }
        if got > MAX {
            return Err(TextError::TooLong { max: MAX, got });
        }
        match text.chars().position(refused) {
            Some(position) => Err(TextError::ControlCharacter { position }),
            None => Ok(Text(text.to_owned())),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to keep.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Characters that cannot be seen but change what is: two names that look the same must be the same.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}'                   // soft hyphen
            | '\u{200B}'..='\u{200F}'    // zero width, and marks of direction
            | '\u{2060}'                 // word joiner
            | '\u{2028}' | '\u{2029}'    // line and paragraph separator
            | '\u{202A}'..='\u{202E}'    // embeddings and overrides of the direction
            | '\u{2066}'..='\u{2069}'    // isolates of the direction
            | '\u{FEFF}'                 // byte order mark
        )
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is left without the white space at the ends.
    #[error("the text is empty")]
    Empty,
    /// The text has too many characters.
    #[error("the text has {got} characters, more than {max}")]
    TooLong {
        /// The most characters that are allowed.
        max: usize,
        /// How many there are, without the white space at the ends.
        got: usize,
    },
    /// A control character, or another one that cannot be seen, stands in the text.
    #[error("the text has a control character at position {position}")]
    ControlCharacter {
        /// Its place in characters, from 0, after the white space at the start has been taken off.
        position: usize,
    },
}

impl TextError {
    /// The stable code of the error, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            TextError::Empty => "text_empty",
            TextError::TooLong { .. } => "text_too_long",
            TextError::ControlCharacter { .. } => "text_control_character",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Name = Text<10>;

    #[test]
    fn white_space_at_the_ends_is_taken_off() {
        assert_eq!(
            Name::parse("\u{3000} 盘锦港 二期\r\n").unwrap().as_str(),
            "盘锦港 二期"
        );
    }

    #[test]
    fn an_empty_text_is_refused() {
        for empty in ["", " \t\n", "\u{3000}\u{00A0}"] {
            assert_eq!(
                Name::parse(empty).unwrap_err().code(),
                "text_empty",
                "{empty:?}"
            );
            assert_eq!(
                Name::parse_multiline(empty),
                Err(TextError::Empty),
                "{empty:?}"
            );
        }
    }

    #[test]
    fn length_is_counted_in_characters_after_trimming() {
        assert_eq!(
            Name::parse(" 精细化工及原料工程项 ").unwrap().into_string(),
            "精细化工及原料工程项"
        );
        let error = Name::parse("精细化工及原料工程项目").unwrap_err();
        assert_eq!(error, TextError::TooLong { max: 10, got: 11 });
        assert_eq!(error.code(), "text_too_long");
    }

    #[test]
    fn characters_that_hide_are_refused_with_their_place() {
        let hidden = "\0\u{7}\n\t\r\u{7F}\u{85}\u{AD}\u{200B}\u{200D}\u{2060}\u{2028}\u{2029}\u{202A}\u{202E}\u{2066}\u{2069}\u{FEFF}";
        for c in hidden.chars() {
            let error = Name::parse(&format!(" 盘{c}锦")).unwrap_err();
            assert_eq!(error, TextError::ControlCharacter { position: 1 }, "{c:?}");
            assert_eq!(error.code(), "text_control_character");
        }
        assert!(Name::parse("\u{FEFF}盘锦").is_err());
    }

    #[test]
    fn only_a_multiline_text_has_lines_and_tabs() {
        assert!(Name::parse("一\n二").is_err());
        assert_eq!(
            Name::parse_multiline("一\r\n二\n\t三\n").unwrap().as_str(),
            "一\n二\n\t三"
        );
        let refused = Err(TextError::ControlCharacter { position: 2 });
        assert_eq!(Name::parse_multiline("一\n\r二"), refused);
        assert_eq!(Name::parse_multiline("一\n\u{202E}二"), refused);
    }

    proptest! {
        #[test]
        fn what_was_read_reads_the_same_again(text in any::<String>()) {
            if let Ok(read) = Text::<40>::parse_multiline(&text) {
                prop_assert!((1..=40).contains(&read.as_str().chars().count()));
                prop_assert_eq!(Text::parse_multiline(read.as_str()), Ok(read));
            }
        }

        #[test]
        fn whatever_is_one_line_is_also_a_text_of_lines(text in "\\PC{0,50}") {
            if let Ok(read) = Text::<40>::parse(&text) {
                prop_assert_eq!(Text::parse_multiline(&text), Ok(read));
            }
        }
    }
}
