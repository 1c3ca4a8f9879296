//! Names of the host as text of PostgreSQL.
//!
//! The tables come from an engine of Dashboard that has names of at most 255 characters. Text of PostgreSQL holds no NUL
//! and no unpaired surrogate. A name that does not fit is stored as `ds/hash/` with the SHA-256 of its bytes, and its
//! bytes are in a column beside it. So is a name that begins with `ds/hash/` itself.

use crate::store::key::Key;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Longest name in the tables, in characters.
const LONGEST: usize = 255;
/// Beginning of the text of a name that does not fit.
pub const HASHED: &str = "ds/hash/";

/// A name in the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The text that identifies it.
    pub text: String,
    /// The bytes of the name if the text is a hash.
    pub full: Option<Vec<u8>>,
}

impl Name {
    /// Returns the stored form of a name.
    pub fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if fits(text) => Self { text: text.to_owned(), full: None },
            _ => Self { text: hashed(&Sha256::digest(bytes)), full: Some(bytes.to_vec()) },
        }
    }
}

/// Returns the text that identifies the record at `key`. The key of a long name may have its hash alone.
pub fn text_of(key: &Key) -> String {
    match key.name() {
        Some(name) => Name::new(name).text,
        None => hashed(key.encoded().get(3..).unwrap_or_default()),
    }
}

/// Returns the bytes of a name from its two columns.
pub fn bytes(text: String, full: Option<Vec<u8>>) -> Vec<u8> {
    full.unwrap_or_else(|| text.into_bytes())
}

fn fits(text: &str) -> bool {
    (text.len() <= LONGEST || text.chars().count() <= LONGEST)
        && !text.contains('\0')
        && !text.starts_with(HASHED)
}

fn hashed(hash: &[u8]) -> String {
    let mut text = HASHED.to_owned();
    for byte in hash {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_hashed_and_comes_back() {
        let [longest, long] = [255, 256].map(|length| "ä".repeat(length));
        let names: [(&[u8], bool); 6] = [
            (b"app/account/a", true),
            (longest.as_bytes(), true),
            (long.as_bytes(), false),
            (b"a\0b", false),
            (b"\xed\xa0\x80", false),
            (b"ds/hash/x", false),
        ];
        for (name, is_plain) in names {
            let stored = Name::new(name);
            assert_eq!(stored.full.is_none(), is_plain, "{name:?}");
            assert_eq!(bytes(stored.text, stored.full), name);
        }
    }

    #[test]
    fn a_key_that_has_only_the_hash_of_its_name_leads_to_the_same_text() {
        let name = vec![b'k'; 1000];
        let key = Key::record(&name);
        assert_eq!(text_of(&key), Name::new(&name).text);
        assert_eq!(text_of(&Key::found(key.encoded(), None)), Name::new(&name).text);
    }
}
