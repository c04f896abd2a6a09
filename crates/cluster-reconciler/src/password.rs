//! Generated passwords, of the superuser and of add-ons.

use plan::own_secrets::{PASSWORD_LENGTH, PASSWORD_SIGNS};

use runtime::Random;

use crate::error::ActError;

/// 20 characters, each drawn evenly from the 63 of upstream: `-`, digits, letters. 119 bits.
///
/// # Errors
/// Where the system gives no randomness.
pub(crate) fn generate(random: &Random) -> Result<String, ActError> {
    let signs = PASSWORD_SIGNS.as_bytes();
    let mut password = String::with_capacity(PASSWORD_LENGTH);
    let mut bytes = [0_u8; 32];
    while password.len() < PASSWORD_LENGTH {
        random.fill(&mut bytes).map_err(|_| ActError::NoRandomness)?;
        // Six bits name one of 64 places; the last is empty, and drawing again keeps the others even.
        let drawn = bytes.iter().filter_map(|byte| signs.get(usize::from(byte & 63)));
        let missing = PASSWORD_LENGTH - password.len();
        password.extend(drawn.copied().map(char::from).take(missing));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c040_a_password_has_twenty_symbols_of_upstreams_alphabet_and_never_repeats() {
        let (first, second) = (
            generate(&Random::default()).unwrap(),
            generate(&Random::default()).unwrap(),
        );
        assert_eq!(first.len(), PASSWORD_LENGTH);
        assert!(first.chars().all(|sign| PASSWORD_SIGNS.contains(sign)));
        assert_ne!(first, second);
    }
}
