//! uids and generated names: drawn from a seeded counter, so that the same requests give the same bytes.

/// A source of values that look random and are the same in every run.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    state: u64,
}

/// What the suffix of a generated name is made of.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX: usize = 5;

impl Identities {
    pub(crate) fn new(seed: u64) -> Identities {
        Identities { state: seed }
    }

    /// One step of splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A uid in the form of a version 4 UUID.
    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            ((low >> 48) & 0x3fff) | 0x8000,
            low & 0xffff_ffff_ffff,
        )
    }

    /// What is put behind `generateName`.
    pub(crate) fn suffix(&mut self) -> String {
        let mut drawn = self.next();
        let mut suffix = String::with_capacity(SUFFIX);
        for _ in 0..SUFFIX {
            let letter = usize::try_from(drawn % LETTERS.len() as u64).unwrap_or_default();
            suffix.push(char::from(LETTERS[letter]));
            drawn /= LETTERS.len() as u64;
        }
        suffix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_uids_and_another_seed_others() {
        let (mut one, mut same, mut other) = (Identities::new(1), Identities::new(1), Identities::new(2));
        let uid = one.uid();
        assert_eq!(uid, same.uid());
        assert_ne!(uid, one.uid());
        assert_ne!(uid, other.uid());
        assert_eq!(uid.len(), 36);
        assert_eq!(uid.as_bytes()[14], b'4');
    }

    #[test]
    fn a_suffix_has_five_letters_that_spell_no_word() {
        let suffix = Identities::new(7).suffix();
        assert_eq!(suffix.len(), 5);
        assert!(suffix.bytes().all(|letter| LETTERS.contains(&letter)));
    }
}
