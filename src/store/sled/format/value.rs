//! Encoding of the values in sled.
//!
//! ```text
//! checksum u32 | form u8 | body            the CRC-32 of key, form and body
//! inline:   body = [full] [retired] contents       bits of the form say which of them are present
//! chunked:  body = total u64 | commit number u64 | ordinal u32
//!           the joined chunks are the body as above; each chunk is checksum u32 | bytes
//! full      = length u32 | the full parts of a key with a hashed part
//! retired   = count u8 | 8 bytes each              fingerprints of values that a stale write must not restore
//! ```
//!
//! The checksum covers the key, so a value under a wrong key is detected as damage.

use crate::record::stale::Fingerprint;
use crate::store::contents::Contents;
use crate::store::error::StoreError;
use crate::store::key::{ChunkId, Key};

/// Size of a chunk, in bytes. A larger value is stored in chunks, because sled writes a page of 16 entries over 128 KiB
/// as a blob file, and never syncs blob files.
pub const CHUNK_BYTES: usize = 4096;

const CHUNKED: u8 = 0b01;
const WITH_FULL_KEY: u8 = 0b10;
const WITH_RETIRED: u8 = 0b100;

/// Bits that tell which parts a body has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form(pub u8);

/// The value at a key, before its full key is compared with the requested one.
#[derive(Debug, PartialEq)]
pub enum Head<'a> {
    /// The body itself.
    Inline(Body<'a>),
    /// Reference to the chunks of the body.
    Chunked {
        /// Length of all chunks together, in bytes.
        total: u64,
        /// ID of the chunks.
        id: ChunkId,
        /// Parts of the body.
        form: Form,
    },
}

/// The contents of a value, and the parts before them.
#[derive(Debug, PartialEq)]
pub struct Body<'a> {
    /// The full parts of the key, each after its length.
    pub full: Option<&'a [u8]>,
    /// Fingerprints of the values that a stale write must not restore.
    pub retired: &'a [Fingerprint],
    /// The contents.
    pub contents: &'a [u8],
}

impl Body<'_> {
    /// Returns the contents as an owned value.
    #[must_use]
    pub fn to_contents(&self) -> Contents {
        Contents::new(self.contents.into(), self.retired.into())
    }
}

/// The encoding of a value: the head, and the chunks that it points to.
pub struct Encoded {
    /// The bytes stored at the key.
    pub head: Vec<u8>,
    id: ChunkId,
    count: u32,
    /// The bytes before the contents in the chunks.
    front: Vec<u8>,
    contents: Contents,
}

impl Encoded {
    /// Iterates over the key and the bytes of each chunk. They are made one by one, because together they are as long as
    /// the contents.
    pub fn chunks(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + use<'_> {
        self.chunks_from(0)
    }

    /// Like [`Self::chunks`], from chunk number `first` on.
    pub fn chunks_from(&self, first: u32) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + use<'_> {
        (first..self.count).map(|index| {
            let chunk = Key::chunk(self.id, index);
            let start = index as usize * CHUNK_BYTES;
            let end = start + CHUNK_BYTES;
            let sealed = seal(
                &chunk,
                &[
                    part(&self.front, start, end, 0),
                    part(&self.contents, start, end, self.front.len()),
                ],
            );
            (chunk, sealed)
        })
    }
}

/// Returns the part of `bytes` that lies between `start` and `end`. `bytes` begin at `offset`.
fn part(bytes: &[u8], start: usize, end: usize, offset: usize) -> &[u8] {
    let [start, end] = [start, end].map(|at| at.saturating_sub(offset).min(bytes.len()));
    bytes.get(start..end).unwrap_or_default()
}

/// Encodes `contents` for `key`. `id` identifies the chunks, if any.
#[must_use]
pub fn encode(key: &Key, contents: &Contents, id: ChunkId) -> Encoded {
    let mut form = 0;
    let mut front = Vec::new();
    if let Some(full) = key.full() {
        form |= WITH_FULL_KEY;
        // Names are at most 64 KiB, so the length always fits.
        front.extend(u32::try_from(full.len()).unwrap_or(u32::MAX).to_be_bytes());
        front.extend(full);
    }
    if !contents.retired().is_empty() {
        form |= WITH_RETIRED;
        // The rule about stale writes keeps at most 128 fingerprints.
        front.push(u8::try_from(contents.retired().len()).unwrap_or(u8::MAX));
        front.extend(contents.retired().as_flattened());
    }
    let total = front.len() + contents.len();
    let (head, count) = if has_chunks(key, contents) {
        let parts: [&[u8]; 4] = [
            &[form | CHUNKED],
            &(total as u64).to_be_bytes(),
            &id.commit_number.to_be_bytes(),
            &id.ordinal.to_be_bytes(),
        ];
        // The largest contents have fewer chunks than fit.
        (seal(key.encoded(), &parts), chunk_count(total as u64).unwrap_or(u32::MAX))
    } else {
        (seal(key.encoded(), &[&[form], &front, contents]), 0)
    };
    Encoded { head, id, count, front, contents: contents.clone() }
}

/// Decodes the value at an encoded key; `None` if it is damaged.
#[must_use]
pub fn decode<'a>(encoded: &[u8], stored: &'a [u8]) -> Option<Head<'a>> {
    let (form, body) = unseal(encoded, stored)?.split_first()?;
    if form & CHUNKED == 0 {
        return Some(Head::Inline(split_body(body, Form(*form))?));
    }
    let (total, body) = body.split_first_chunk()?;
    let (commit_number, body) = body.split_first_chunk()?;
    let id = ChunkId {
        commit_number: u64::from_be_bytes(*commit_number),
        ordinal: u32::from_be_bytes(body.try_into().ok()?),
    };
    Some(Head::Chunked { total: u64::from_be_bytes(*total), id, form: Form(*form) })
}

/// Returns the ID and the number of the chunks of `stored`; `None` if it has no chunks, or is damaged.
#[must_use]
pub fn chunks_of(encoded: &[u8], stored: &[u8]) -> Option<(ChunkId, u32)> {
    // The form follows the checksum. Most values have no chunks, and need no further decoding.
    if stored.get(4)? & CHUNKED == 0 {
        return None;
    }
    match decode(encoded, stored)? {
        Head::Inline(_) => None,
        Head::Chunked { total, id, .. } => Some((id, chunk_count(total)?)),
    }
}

/// Returns whether `contents` at `key` are stored in chunks.
#[must_use]
pub fn has_chunks(key: &Key, contents: &Contents) -> bool {
    let full = key.full().map_or(0, |full| full.len() + size_of::<u32>());
    full + contents.size() > CHUNK_BYTES
}

/// Returns the number of chunks of a body of `total` bytes; `None` if that is beyond any limit.
#[must_use]
pub fn chunk_count(total: u64) -> Option<u32> {
    u32::try_from(total.div_ceil(CHUNK_BYTES as u64)).ok()
}

/// Splits a body into its parts; `None` if it is damaged.
#[must_use]
pub fn split_body(body: &[u8], Form(form): Form) -> Option<Body<'_>> {
    let (mut full, mut retired, mut contents) = (None, Default::default(), body);
    if form & WITH_FULL_KEY != 0 {
        let (length, rest) = contents.split_first_chunk()?;
        let (parts, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        (full, contents) = (Some(parts), rest);
    }
    if form & WITH_RETIRED != 0 {
        let (count, rest) = contents.split_first()?;
        let bytes = usize::from(*count) * size_of::<Fingerprint>();
        let (fingerprints, rest) = rest.split_at_checked(bytes)?;
        (retired, contents) = (fingerprints.as_chunks().0, rest);
    }
    Some(Body { full, retired, contents })
}

/// Returns the bytes of one chunk; `None` if it is damaged.
#[must_use]
pub fn decode_chunk<'a>(chunk: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    unseal(chunk, stored)
}

/// Returns the error for a damaged value. It names the key, and shows no contents.
#[must_use]
pub fn damaged(key: &Key) -> StoreError {
    StoreError::Damaged { what: format!("the value of {}", key.display()) }
}

fn seal(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut sealed = Vec::with_capacity(4 + length);
    sealed.extend([0; 4]);
    for part in parts {
        sealed.extend_from_slice(part);
    }
    let (_, rest) = sealed.split_at(4);
    let checksum = checksum(key, rest).to_be_bytes();
    sealed.splice(..4, checksum);
    sealed
}

fn unseal<'a>(key: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (expected, rest) = stored.split_first_chunk()?;
    (checksum(key, rest) == u32::from_be_bytes(*expected)).then_some(rest)
}

fn checksum(key: &[u8], rest: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(rest);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: ChunkId = ChunkId { commit_number: 9, ordinal: 3 };

    #[test]
    fn a_value_larger_than_a_chunk_is_split_and_its_head_points_to_the_chunks() {
        let key = Key::record(b"a");
        for length in [0, 1, CHUNK_BYTES] {
            assert_eq!(encode(&key, &vec![1; length].into(), ID).chunks().count(), 0);
        }
        let encoded = encode(&key, &vec![1; 2 * CHUNK_BYTES + 1].into(), ID);
        assert_eq!(encoded.chunks().count(), 3);
        assert_eq!(chunks_of(key.encoded(), &encoded.head), Some((ID, 3)));
        assert!(encoded.chunks().all(|(_, bytes)| bytes.len() <= CHUNK_BYTES + 4));
    }

    #[test]
    fn the_full_key_and_the_fingerprints_are_decoded() {
        let key = Key::record(&[b'k'; 500]);
        let retired = [[1; 8], [2; 8]];
        let contents = Contents::from(b"contents".as_slice()).with_retired(&retired);
        let encoded = encode(&key, &contents, ID);
        let body = Body { full: key.full(), retired: &retired, contents: b"contents" };
        assert_eq!(decode(key.encoded(), &encoded.head), Some(Head::Inline(body)));
    }

    #[test]
    fn a_value_at_another_key_is_damage() {
        let encoded = encode(&Key::record(b"a"), &b"contents".as_slice().into(), ID);
        assert_eq!(decode(Key::record(b"b").encoded(), &encoded.head), None);
    }

    proptest! {
        #[test]
        fn one_flipped_bit_never_gives_a_wrong_value(
            contents in proptest::collection::vec(any::<u8>(), 0..100),
            bit in any::<prop::sample::Index>(),
        ) {
            let key = Key::record(b"some/key");
            let mut stored = encode(&key, &contents.into(), ID).head;
            let bit = bit.index(stored.len() * 8);
            stored[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(decode(key.encoded(), &stored), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(stored in proptest::collection::vec(any::<u8>(), 0..100)) {
            let key = Key::record(&[b'k'; 500]);
            prop_assert_eq!(decode(key.encoded(), &stored), None);
            let _ = (chunks_of(key.encoded(), &stored), split_body(&stored, Form(WITH_FULL_KEY | WITH_RETIRED)));
        }
    }
}
