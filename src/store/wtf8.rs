//! Converts JavaScript strings to bytes and back, without losing unpaired surrogates.
//!
//! The encoding is [WTF-8](https://simonsapin.github.io/wtf-8/): UTF-8 that also encodes an unpaired surrogate, in
//! three bytes. In plain UTF-8, two different JavaScript keys could become the same bytes.

/// Returns the bytes of a JavaScript string.
#[must_use]
pub fn encode(units: &[u16]) -> Vec<u8> {
    // Nearly every name is ASCII, and this compiles to a few vector instructions.
    if units.iter().all(|unit| *unit < 0x80) {
        return units.iter().map(|unit| unit.to_le_bytes()[0]).collect();
    }
    let mut bytes = Vec::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Err(surrogate) => {
                let [high, low] = surrogate.unpaired_surrogate().to_be_bytes();
                bytes.push(0b1110_0000 | (high >> 4));
                bytes.push(0b1000_0000 | ((high & 0b1111) << 2) | (low >> 6));
                bytes.push(0b1000_0000 | (low & 0b11_1111));
            }
        }
    }
    bytes
}

/// Returns the JavaScript string of bytes that [`encode`] made. Other bytes become U+FFFD.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (valid, invalid) = match std::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), invalid)
            }
        };
        units.extend(valid.encode_utf16());
        rest = match invalid {
            [0xed, middle @ 0xa0..=0xbf, last @ 0x80..=0xbf, after @ ..] => {
                let low = u16::from(*middle & 0b11_1111) << 6 | u16::from(*last & 0b11_1111);
                units.push(0xd000 | low);
                after
            }
            [_, after @ ..] => {
                units.push(0xfffd);
                after
            }
            [] => &[],
        };
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn well_formed_text_is_utf_8() {
        let text = "läuft 🚀 \0";
        assert_eq!(encode(&text.encode_utf16().collect::<Vec<_>>()), text.as_bytes());
    }

    #[test]
    fn bytes_that_are_not_text_become_replacement_characters() {
        assert_eq!(decode(&[b'a', 0xff, b'b']), [0x61, 0xfffd, 0x62]);
    }

    proptest! {
        #[test]
        fn every_string_comes_back(units in proptest::collection::vec(any::<u16>(), 0..50)) {
            prop_assert_eq!(decode(&encode(&units)), units);
        }

        #[test]
        fn surrogates_come_back(units in proptest::collection::vec(0xd700_u16..0xe100, 0..20)) {
            prop_assert_eq!(decode(&encode(&units)), units);
        }

        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            let _ = decode(&bytes);
        }
    }
}
