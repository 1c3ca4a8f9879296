//! The host's cipher (`src/storage.js`, encrypt and decrypt): AES-256-CTR with one fixed IV, as
//! lower-case hexadecimal. Records are kept in exactly that form.

use aes::Aes256;
use ctr::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use std::borrow::Cow;
use std::fmt;

/// The host's `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    key: [u8; 32],
    iv: [u8; 16],
}

impl Secret {
    /// `None` unless the key is 32 bytes and the IV 16: with anything else the host's cipher throws.
    #[must_use]
    pub fn new(key: &[u8], iv: &[u8]) -> Option<Self> {
        Some(Self { key: key.try_into().ok()?, iv: iv.try_into().ok()? })
    }

    /// What the host stores for `text`.
    #[must_use]
    pub fn encrypt(&self, text: &str) -> Vec<u8> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or_default();
        let mut bytes = text.as_bytes().to_vec();
        self.apply(&mut bytes);
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
    }

    /// The text in what is stored, as the host reads it; `None` if that is no UTF-8.
    ///
    /// What was written before there was a secret is plain. The host's decipher refuses a text of odd
    /// length, which is then taken as it is; of any other it reads up to what is no hexadecimal.
    #[must_use]
    pub fn decrypt(&self, stored: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(stored).ok()?;
        if text.encode_utf16().count() % 2 == 1 {
            return Some(text.into());
        }
        let digit =
            |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut bytes: Vec<u8> = stored
            .chunks(2)
            .map_while(|pair| match *pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            })
            .collect();
        self.apply(&mut bytes);
        String::from_utf8(bytes).ok()
    }

    fn apply(&self, bytes: &mut [u8]) {
        Ctr128BE::<Aes256>::new(&self.key.into(), &self.iv.into()).apply_keystream(bytes);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// The text of a stored record, under the host's secret if it has one.
#[must_use]
pub fn open<'a>(stored: &'a [u8], secret: Option<&Secret>) -> Option<Cow<'a, str>> {
    match secret {
        Some(secret) => secret.decrypt(stored).map(Cow::Owned),
        None => std::str::from_utf8(stored).ok().map(Cow::Borrowed),
    }
}

/// Whether stored bytes look like what some secret has made of a record.
#[must_use]
pub fn looks_encrypted(stored: &[u8]) -> bool {
    !stored.is_empty() && stored.len().is_multiple_of(2) && stored.iter().all(u8::is_ascii_hexdigit)
}

/// What is stored for a text, under the host's secret if it has one.
#[must_use]
pub fn seal(text: String, secret: Option<&Secret>) -> Vec<u8> {
    match secret {
        Some(secret) => secret.encrypt(&text),
        None => text.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret() -> Secret {
        Secret::new(b"0123456789abcdef0123456789abcdef", b"0123456789abcdef").unwrap()
    }

    #[test]
    fn it_is_what_the_host_writes() {
        // By Node: createCipheriv('aes-256-ctr', secret, iv).update('{"object":"account"}', 'utf-8', 'hex')
        let expected = "831ef502b669b8ec03a55bb7b6b87940dbeb4a00";
        assert_eq!(secret().encrypt(r#"{"object":"account"}"#), expected.as_bytes());
    }

    #[test]
    fn a_secret_of_a_wrong_length_is_none() {
        assert!(Secret::new(b"short", b"0123456789abcdef").is_none());
        assert!(Secret::new(&[0; 32], &[0; 15]).is_none());
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", secret()), "Secret");
    }

    #[test]
    fn what_was_written_without_a_secret_is_read_as_the_host_reads_it() {
        let cases = [
            ("{}", Some("")),
            ("{1}", Some("{1}")),
            ("é", Some("é")),
            ("𝄞", Some("")),
            ("", Some("")),
        ];
        for (stored, text) in cases {
            assert_eq!(secret().decrypt(stored.as_bytes()).as_deref(), text, "{stored}");
        }
        let mut encrypted = secret().encrypt("text");
        encrypted.extend_from_slice(b"zz");
        assert_eq!(secret().decrypt(&encrypted).as_deref(), Some("text"));
        assert_eq!(secret().decrypt(b"00"), None);
        assert_eq!(secret().decrypt(b"\xff\xff"), None);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,60}") {
            prop_assert_eq!(secret().decrypt(&secret().encrypt(&text)), Some(text));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(stored in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = secret().decrypt(&stored);
        }
    }
}
