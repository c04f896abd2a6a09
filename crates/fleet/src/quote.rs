//! Text from elsewhere, made fit for a message: no control characters, and no longer than it may be.

/// Longest text from a remote side that we repeat, in bytes.
pub const LONGEST: usize = 256;

/// `text` without control characters and cut to [`LONGEST`] bytes.
#[must_use]
pub fn quote(text: &str) -> String {
    quote_to(text, LONGEST)
}

/// `text` without control characters and cut to `longest` bytes, with an ellipsis (three bytes) inside that limit.
#[must_use]
pub fn quote_to(text: &str, longest: usize) -> String {
    let mut quoted = String::new();
    for character in text.trim().chars() {
        let shown = if character.is_control() || is_bidi(character) {
            ' '
        } else {
            character
        };
        if quoted.len() + shown.len_utf8() > longest.saturating_sub(3) {
            quoted.push('…');
            return quoted;
        }
        quoted.push(shown);
    }
    quoted
}

/// Characters that change the direction of what follows: they make a terminal show another text than there is.
fn is_bidi(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_inside_the_limit() {
        let quoted = quote(&"é".repeat(10_000));
        assert!(quoted.len() <= LONGEST, "{}", quoted.len());
        assert!(quoted.ends_with('…'));
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(quote("a\u{1b}[31mb\nc\u{202e}d"), "a [31mb c d");
    }

    #[test]
    fn a_short_text_stays() {
        assert_eq!(
            quote("namespaces \"kube-system\" is forbidden"),
            "namespaces \"kube-system\" is forbidden"
        );
    }
}
