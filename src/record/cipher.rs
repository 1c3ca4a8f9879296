//! Dashboard's cipher (`encrypt` and `decrypt` in `src/storage.js`): AES-256-CTR with one fixed IV, as lower-case
//! hexadecimal. Records are stored in exactly that form.

use aes::Aes256;
use ctr::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use std::borrow::Cow;
use std::fmt;

/// Dashboard's `ENCRYPTION_SECRET` and `ENCRYPTION_SECRET_IV`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    key: [u8; 32],
    iv: [u8; 16],
}

impl Secret {
    /// Returns `None` unless the key has 32 bytes and the IV 16: Dashboard's cipher throws on any other length.
    #[must_use]
    pub fn new(key: &[u8], iv: &[u8]) -> Option<Self> {
        Some(Self { key: key.try_into().ok()?, iv: iv.try_into().ok()? })
    }

    /// Returns the bytes that Dashboard stores for `text`.
    #[must_use]
    pub fn encrypt(&self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        self.apply(&mut bytes);
        hexadecimal(&bytes)
    }

    /// Returns the text of stored bytes, as Dashboard's `decipher.update(text, 'hex', 'utf-8')` does.
    ///
    /// Records from before a secret was set are plain text. Dashboard's decipher refuses a text of odd length, which is
    /// then returned unchanged. It decrypts any other text up to the first character that is not hexadecimal, and looks
    /// only at the lower byte of each UTF-16 unit. Bytes of an incomplete character at the end are dropped.
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

/// Returns the bytes as lower-case hexadecimal digits.
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

/// Returns the number of bytes that Node's `StringDecoder` returns: all but an incomplete character at the end. Like
/// Node, it looks only at the character's first byte.
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

/// Returns the text of a stored record, decrypted if Dashboard has a secret. Bytes that are not UTF-8 become U+FFFD, as
/// in `Buffer.toString()`, so that the rules see the same text as JavaScript.
#[must_use]
pub fn decrypt_record<'a>(stored: &'a [u8], secret: Option<&Secret>) -> Cow<'a, str> {
    match secret {
        Some(secret) => secret.decrypt(stored).into(),
        // `from_utf8_lossy` looks at each character, which took a twentieth of the writer's time; this looks at words.
        None => std::str::from_utf8(stored)
            .map_or_else(|_| String::from_utf8_lossy(stored), Cow::Borrowed),
    }
}

/// Returns whether stored bytes look like a record that is encrypted under some secret: pairs of hexadecimal digits, no
/// fewer than those of the shortest JSON object. Dashboard writes lower-case digits, but its decipher reads both cases.
///
/// `looksEncrypted` in `lib/host.js` is the twin; `__test__/inspect.test.js` tests both cases of digits there.
#[must_use]
pub fn looks_encrypted(stored: &[u8]) -> bool {
    const SHORTEST: usize = 2 * "{}".len();
    stored.len() >= SHORTEST
        && stored.len().is_multiple_of(2)
        && stored.iter().all(u8::is_ascii_hexdigit)
}

/// Returns whether stored bytes are an account or a session that is encrypted under another secret than `secret`. Bytes
/// shorter than the shortest such record do not count: they may be plain text that happens to be hexadecimal.
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

/// Returns the bytes to store for a text, encrypted if Dashboard has a secret.
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
    fn encryption_equals_that_of_node() {
        // By Node: createCipheriv('aes-256-ctr', secret, iv).update('{"object":"account"}', 'utf-8', 'hex')
        let expected = "831ef502b669b8ec03a55bb7b6b87940dbeb4a00";
        assert_eq!(secret().encrypt(r#"{"object":"account"}"#), expected.as_bytes());
    }

    #[test]
    fn only_pairs_of_digits_look_encrypted() {
        for (stored, expected) in [
            (secret().encrypt("{}"), true),
            (secret().encrypt("{}").to_ascii_uppercase(), true),
            (b"0aF9".to_vec(), true),
            (b"0af".to_vec(), false),
            (b"0afg".to_vec(), false),
            (b"{}".to_vec(), false),
            // A text of one character is not a record.
            (b"42".to_vec(), false),
            (Vec::new(), false),
        ] {
            assert_eq!(looks_encrypted(&stored), expected, "{stored:?}");
        }
    }

    #[test]
    fn a_secret_of_a_wrong_length_is_refused() {
        assert!(Secret::new(b"short", b"0123456789abcdef").is_none());
        assert!(Secret::new(&[0; 32], &[0; 15]).is_none());
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        assert_eq!(format!("{:?}", secret()), "Secret");
    }

    #[test]
    fn plain_text_is_read_as_dashboard_reads_it() {
        let cases = [("{}", ""), ("{1}", "{1}"), ("é", "é"), ("𝄞", ""), ("", "")];
        for (stored, text) in cases {
            assert_eq!(secret().decrypt(stored.as_bytes()), text, "{stored}");
        }
        let mut encrypted = secret().encrypt("text");
        encrypted.extend_from_slice(b"zz");
        assert_eq!(secret().decrypt(&encrypted), "text");
    }

    /// The expected texts are Node's; `__test__/invalid-utf8.test.js` compares many more.
    #[test]
    fn invalid_utf_8_is_read_as_node_reads_it() {
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
            let mut encrypted = bytes.to_vec();
            secret().apply(&mut encrypted);
            assert_eq!(secret().decrypt(&hexadecimal(&encrypted)), text, "{bytes:?}");
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
