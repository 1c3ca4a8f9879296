//! All keys in sled. Nothing outside of this folder knows their encoding.
//!
//! - [`list_path`]: the path of a list, which makes the keys of the list
//!
//! ```text
//! meta      00 | part(name)                                   format, store id, number of the last commit
//! record    01 | part(key)                                    a record of Dashboard
//! chunk     02 | commit number u64 | ordinal u32 | index u32  a piece of a value over 4 KiB
//! list      03 | part(path)                                   count and next sequence number of a list
//! item      04 | part(path) | sequence number u64             an item, by its number
//! position  05 | part(path) | part(item)                      the sequence number of an item
//! tally     06 | part(path) | segment u64                     number of items in each block of a segment
//!
//! part(bytes) = length u16 | bytes                            if they fit
//!             = ffff | SHA-256(bytes)                         if they do not
//! ```
//!
//! Integers are big-endian, so keys sort by number. A part begins with its length, so no key is a prefix of another
//! one. No key is longer than 400 bytes, so sled never writes a page of keys to a blob file. If a part is hashed, the
//! full parts are stored beside the value, and every read compares them.

mod list_path;

pub use list_path::ListPath;

use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

const META: u8 = 0;
const RECORD: u8 = 1;
const CHUNK: u8 = 2;
const LIST: u8 = 3;
const ITEM: u8 = 4;
const POSITION: u8 = 5;
const TALLY: u8 = 6;

/// Length of the longest encoded key, in bytes.
pub const MAX_ENCODED: usize = 400;
/// Longest part of a key with one part. The kind and the length take three bytes.
const MAX_SINGLE_PART: usize = MAX_ENCODED - 3;
/// Longest part of a key with two parts, or with one part and a number.
const MAX_PAIR_PART: usize = 190;
/// Marks a hashed part. A part that fits is never this long.
const HASHED: u16 = u16::MAX;

/// A key as sled stores it. Two keys are equal if their encoded bytes are.
#[derive(Clone, Debug)]
pub struct Key {
    encoded: Arc<[u8]>,
    full: Option<Arc<[u8]>>,
}

impl Key {
    /// Returns the key of an internal value of the store.
    #[must_use]
    pub fn meta(name: &str) -> Self {
        Self::build(META, &[name.as_bytes()], MAX_SINGLE_PART)
    }

    /// Returns the key of the Dashboard record `name`, encoded as [`crate::store::wtf8`].
    #[must_use]
    pub fn record(name: &[u8]) -> Self {
        Self::build(RECORD, &[name], MAX_SINGLE_PART)
    }

    /// Returns a key that a scan has read, with the full parts stored beside its value.
    #[must_use]
    pub fn found(encoded: &[u8], full: Option<&[u8]>) -> Self {
        Self { encoded: encoded.into(), full: full.map(Into::into) }
    }

    /// Returns the kind of an encoded key.
    #[must_use]
    pub fn kind_of(encoded: &[u8]) -> Option<KeyKind> {
        Some(match *encoded.first()? {
            META => KeyKind::Meta,
            RECORD => KeyKind::Record,
            CHUNK => KeyKind::Chunk,
            LIST => KeyKind::List,
            ITEM => KeyKind::Item,
            POSITION => KeyKind::Position,
            TALLY => KeyKind::BlockCounts,
            _ => return None,
        })
    }

    /// Returns the first part of the key: the host's key of a record, or the path of a list. `None` if the key was not
    /// made by this module.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        if let Some(full) = &self.full {
            let (length, rest) = full.split_first_chunk()?;
            return rest.get(..u32::from_be_bytes(*length) as usize);
        }
        let (length, rest) = self.encoded.get(1..)?.split_first_chunk()?;
        rest.get(..u16::from_be_bytes(*length).into())
    }

    /// Returns the second part of the key: the item of a position.
    #[must_use]
    pub fn item(&self) -> Option<&[u8]> {
        let behind = self.name()?.len();
        if let Some(full) = &self.full {
            let (length, rest) = full.get(4 + behind..)?.split_first_chunk()?;
            return rest.get(..u32::from_be_bytes(*length) as usize);
        }
        let (length, rest) = self.encoded.get(3 + behind..)?.split_first_chunk()?;
        rest.get(..u16::from_be_bytes(*length).into())
    }

    /// Returns the number at the end of the key: the sequence number of an item, or the segment of a tally.
    #[must_use]
    pub fn number(encoded: &[u8]) -> Option<u64> {
        encoded.last_chunk().map(|number| u64::from_be_bytes(*number))
    }

    /// Returns the ID of the value that a chunk belongs to.
    #[must_use]
    pub fn chunk_id(encoded: &[u8]) -> Option<ChunkId> {
        let (commit_number, rest) = encoded.get(1..)?.split_first_chunk()?;
        Some(ChunkId {
            commit_number: u64::from_be_bytes(*commit_number),
            ordinal: u32::from_be_bytes(*rest.first_chunk()?),
        })
    }

    /// Returns the key of piece `index` of the chunked value `id`.
    #[must_use]
    pub fn chunk(id: ChunkId, index: u32) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(17);
        encoded.push(CHUNK);
        encoded.extend_from_slice(&id.commit_number.to_be_bytes());
        encoded.extend_from_slice(&id.ordinal.to_be_bytes());
        encoded.extend_from_slice(&index.to_be_bytes());
        encoded
    }

    /// Returns the bytes in sled.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Returns the full parts, each after its length, if one of them is hashed.
    #[must_use]
    pub fn full(&self) -> Option<&[u8]> {
        self.full.as_deref()
    }

    /// Returns the memory of the key, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.encoded.len() + self.full.as_ref().map_or(0, |full| full.len())
    }

    /// Returns the host's name for messages, without control characters and shortened to 200 characters.
    #[must_use]
    pub fn display(&self) -> String {
        // Skip the kind and the length of the first part; full parts have no kind.
        let name = match &self.full {
            Some(full) => full.get(4..),
            None => self.encoded.get(3..),
        };
        String::from_utf8_lossy(name.unwrap_or_default())
            .chars()
            .filter(|character| !character.is_control())
            .take(200)
            .collect()
    }

    fn build(kind: u8, parts: &[&[u8]], longest: usize) -> Self {
        let room = parts.iter().map(|part| 2 + part.len().min(longest)).sum::<usize>();
        let mut encoded = Vec::with_capacity(1 + room);
        encoded.push(kind);
        for part in parts {
            push_part(&mut encoded, part, longest);
        }
        let full = parts.iter().any(|part| part.len() > longest).then(|| full_parts(parts));
        Self { encoded: encoded.into(), full }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.encoded.hash(state);
    }
}

/// The kinds of keys, as drawn above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the drawing says what each is")]
pub enum KeyKind {
    Meta,
    Record,
    Chunk,
    List,
    Item,
    Position,
    BlockCounts,
}

impl KeyKind {
    /// Returns the first byte of all keys of this kind.
    #[must_use]
    pub fn prefix(self) -> [u8; 1] {
        [match self {
            Self::Meta => META,
            Self::Record => RECORD,
            Self::Chunk => CHUNK,
            Self::List => LIST,
            Self::Item => ITEM,
            Self::Position => POSITION,
            Self::BlockCounts => TALLY,
        }]
    }
}

/// Identifies the chunks of one value: the batch that wrote it, and its number in that batch. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkId {
    /// Commit number of the batch.
    pub commit_number: u64,
    /// Number of the value in the batch.
    pub ordinal: u32,
}

fn push_part(encoded: &mut Vec<u8>, part: &[u8], longest: usize) {
    match u16::try_from(part.len()) {
        Ok(length) if part.len() <= longest => {
            encoded.extend_from_slice(&length.to_be_bytes());
            encoded.extend_from_slice(part);
        }
        _ => {
            encoded.extend_from_slice(&HASHED.to_be_bytes());
            encoded.extend_from_slice(&Sha256::digest(part));
        }
    }
}

fn full_parts(parts: &[&[u8]]) -> Arc<[u8]> {
    let mut full = Vec::new();
    for part in parts {
        // Names are at most 64 KiB (the binding refuses longer ones), so the length always fits.
        full.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        full.extend_from_slice(part);
    }
    full.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_key_is_over_the_limit_and_a_long_part_is_hashed() {
        for length in [0, 1, 189, 190, 191, 396, 397, 398, 399, 400, 401, 65_536] {
            let bytes = vec![b'k'; length];
            let record = Key::record(&bytes);
            assert!(record.encoded().len() <= MAX_ENCODED);
            assert_eq!(record.full().is_some(), length > MAX_SINGLE_PART, "{length}");
            let path = ListPath::new(&bytes);
            for key in [path.head(), path.item(u64::MAX), path.position(&bytes), path.tally(1)] {
                assert!(key.encoded().len() <= MAX_ENCODED);
                assert_eq!(key.full().is_some(), length > MAX_PAIR_PART, "{length}");
            }
        }
    }

    #[test]
    fn numbers_sort_as_numbers() {
        let path = ListPath::new(b"a");
        let numbers = [0, 1, 255, 256, 65_535, 65_536, u64::MAX];
        for pair in numbers.windows(2) {
            assert!(path.item(pair[0]).encoded() < path.item(pair[1]).encoded());
        }
    }

    #[test]
    fn a_key_returns_its_parts() {
        for (path, item) in [1, 190, 191, 500].map(|n| (vec![b'p'; n], vec![b'i'; 600 - n])) {
            let key = ListPath::new(&path).position(&item);
            let found = Key::found(key.encoded(), key.full());
            assert_eq!((found.name(), found.item()), (Some(&*path), Some(&*item)));
        }
        assert_eq!((Key::record(b"a").item(), Key::found(&[], None).item()), (None, None));
    }

    fn all_keys(path: &[u8], item: &[u8]) -> Vec<Key> {
        let list = ListPath::new(path);
        let record = Key::record(path);
        vec![record, list.head(), list.item(7), list.position(item), list.tally(7)]
    }

    proptest! {
        #[test]
        fn no_key_is_a_prefix_of_the_key_of_another_name(
            a in proptest::collection::vec(any::<u8>(), 0..450),
            b in proptest::collection::vec(any::<u8>(), 0..450),
            item in proptest::collection::vec(any::<u8>(), 0..250),
        ) {
            prop_assume!(a != b);
            for first in all_keys(&a, &item) {
                for second in all_keys(&b, &item) {
                    prop_assert!(!second.encoded().starts_with(first.encoded()));
                    prop_assert!(!first.encoded().starts_with(second.encoded()));
                }
            }
        }
    }
}
