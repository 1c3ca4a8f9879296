//! Keys as hexadecimal text: their bytes are not always valid text.

use crate::store::Key;

/// Returns a key as hexadecimal text, because its bytes may not be valid text.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Returns the key that [`to_hex`] was called with, without the full name that is stored beside its value.
pub fn key_of_hex(text: &str) -> Option<Key> {
    let digits = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    bytes.map(|bytes| Key::found(&bytes, None))
}
