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
        let mut bytes = text.as_bytes().to_vec();
        self.apply(&mut bytes);
        hexadecimal(&bytes)
    }

    /// The text in what is stored, as the host's `decipher.update(text, 'hex', 'utf-8')` gives it.
    ///
    /// What was written before there was a secret is plain. The host's decipher refuses a text of odd length, which is then
    /// taken as it is. Of any other it reads up to what is not hexadecimal, where only the lower byte of each UTF-16 unit
    /// counts, and what it keeps back of a character that is cut short at the end never comes.
    #[must_use]
    pub fn decrypt(&self, stored: &[u8]) -> String {
        let digits = if stored.is_ascii() {
            Cow::Borrowed(stored)
        } else {
            let text = String::from_utf8_lossy(stored);
            text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect()
        };
        if !digits.len().is_multiple_of(2) {
            return String::from_utf8_lossy(stored).into_owned();
        }
        let digit =
            |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut bytes: Vec<u8> = digits
            .chunks(2)
            .map_while(|pair| match *pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            })
            .collect();
        self.apply(&mut bytes);
        bytes.truncate(complete(&bytes));
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
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

/// Lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or_default();
    let mut digits = vec![0; 2 * bytes.len()];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        if let [high, low] = pair {
            (*high, *low) = (digit(byte >> 4), digit(*byte));
        }
    }
    digits
}

/// How many of the bytes Node's `StringDecoder` gives out: without a character at the end whose last bytes are missing.
/// It counts by the first byte alone, whatever follows.
fn complete(bytes: &[u8]) -> usize {
    let length = bytes.len();
    for (index, byte) in (1..=3).zip(bytes.iter().rev()) {
        let wanted = match byte {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 0,
        };
        return if wanted > index { length - index } else { length };
    }
    length
}

/// The text of a stored record, under the host's secret if it has one. Bytes that are not UTF-8 become U+FFFD, as in
/// `Buffer.toString()`: what JavaScript reads is what the rules look at.
#[must_use]
pub fn decrypt_record<'a>(stored: &'a [u8], secret: Option<&Secret>) -> Cow<'a, str> {
    match secret {
        Some(secret) => secret.decrypt(stored).into(),
        None => String::from_utf8_lossy(stored),
    }
}

/// Whether stored bytes look like what some secret has made of a record.
#[must_use]
pub fn looks_encrypted(stored: &[u8]) -> bool {
    !stored.is_empty() && stored.len().is_multiple_of(2) && stored.iter().all(u8::is_ascii_hexdigit)
}

/// Whether stored bytes are an account or a session that was encrypted under another secret than `secret`. What is shorter
/// than the shortest of them may be a plain text that happens to be hexadecimal.
#[must_use]
pub fn is_locked(stored: &[u8], secret: Option<&Secret>) -> bool {
    const SHORTEST: usize = 2 * r#"{"object":"account"}"#.len();
    let is_readable = |secret: &Secret| {
        let is_text =
            |c: char| c != char::REPLACEMENT_CHARACTER && (!c.is_control() || c.is_whitespace());
        secret.decrypt(stored).chars().all(is_text)
    };
    stored.len() >= SHORTEST && looks_encrypted(stored) && !secret.is_some_and(is_readable)
}

/// What is stored for a text, under the host's secret if it has one.
#[must_use]
pub fn encrypt_record(text: String, secret: Option<&Secret>) -> Vec<u8> {
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
        let cases = [("{}", ""), ("{1}", "{1}"), ("é", "é"), ("𝄞", ""), ("", "")];
        for (stored, text) in cases {
            assert_eq!(secret().decrypt(stored.as_bytes()), text, "{stored}");
        }
        let mut encrypted = secret().encrypt("text");
        encrypted.extend_from_slice(b"zz");
        assert_eq!(secret().decrypt(&encrypted), "text");
    }

    /// The expected texts are Node's; `__test__/decoding.test.js` compares many more.
    #[test]
    fn what_is_not_utf_8_is_read_as_node_reads_it() {
        assert_eq!(secret().decrypt(b"00"), "\u{fffd}");
        assert_eq!(secret().decrypt(b"\xff\xff"), "");
        assert_eq!(secret().decrypt(b"\xff"), "\u{fffd}");
        assert_eq!(secret().decrypt("İİ".as_bytes()), "\u{fffd}");
        assert_eq!(decrypt_record(b"a\xe2\x82b\xff", None), "a\u{fffd}b\u{fffd}");
        // plain bytes, text
        for (bytes, text) in [
            (b"a\xe2\x82".as_slice(), "a"),
            (b"a\xe0\x80", "a"),
            (b"a\xf0", "a"),
            (b"a\xff", "a\u{fffd}"),
            (b"a\x80", "a\u{fffd}"),
            (b"\xe2\x82\xac", "€"),
            (b"\xe2\x82a", "\u{fffd}a"),
        ] {
            let mut sealed = bytes.to_vec();
            secret().apply(&mut sealed);
            assert_eq!(secret().decrypt(&hexadecimal(&sealed)), text, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,60}") {
            prop_assert_eq!(secret().decrypt(&secret().encrypt(&text)), text);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(stored in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = secret().decrypt(&stored);
        }
    }
}
