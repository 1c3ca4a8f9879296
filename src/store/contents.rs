//! The contents of a record, shared between the cache and readers.

use crate::record::stale::Fingerprint;
use crate::store::key::Key;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The bytes of a value, shared between the cache and readers.
#[derive(Clone)]
pub struct Contents(Form);

#[derive(Clone)]
enum Form {
    /// Bytes that came from elsewhere. They are not copied.
    Plain(Arc<Plain>),
    /// Bytes in the cache.
    Packed(Packed),
}

struct Plain {
    bytes: Box<[u8]>,
    retired: Box<[Fingerprint]>,
}

/// A key with its value, or with the fact that it has none, in one piece of memory. The cache holds a million of them,
/// so every byte counts.
///
/// ```text
/// key length u16 | is present u8 | count u8 | key | fingerprints | bytes
/// ```
#[derive(Clone)]
pub(in crate::store) struct Packed(Arc<[u8]>);

impl Contents {
    /// Returns contents with the fingerprints of the values that a stale write of the record must not restore.
    pub(in crate::store) fn new(bytes: Box<[u8]>, retired: Box<[Fingerprint]>) -> Self {
        Self(Form::Plain(Arc::new(Plain { bytes, retired })))
    }

    /// Returns the same bytes with the fingerprints of the values that a stale write must not restore. Readers never
    /// see the fingerprints.
    #[must_use]
    pub fn with_retired(self, retired: &[Fingerprint]) -> Self {
        let bytes = match self.0 {
            Form::Plain(plain) => {
                Arc::try_unwrap(plain).map_or_else(|plain| plain.bytes.clone(), |own| own.bytes)
            }
            Form::Packed(packed) => packed.bytes().into(),
        };
        Self::new(bytes, retired.into())
    }

    /// Returns the fingerprints of the values that a stale write of the record must not restore.
    #[must_use]
    pub fn retired(&self) -> &[Fingerprint] {
        match &self.0 {
            Form::Plain(plain) => &plain.retired,
            Form::Packed(packed) => packed.retired(),
        }
    }

    /// Returns the stored size in bytes, fingerprints included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.len() + size_of_val(self.retired())
    }
}

impl Packed {
    const FRONT: usize = 4;

    /// Packs the value of `key`. Returns `None` if a count does not fit, which no stored value has.
    pub fn new(key: &Key, contents: Option<&Contents>) -> Option<Self> {
        let key = key.encoded();
        let retired = contents.map(Contents::retired).unwrap_or_default();
        let [high, low] = u16::try_from(key.len()).ok()?.to_be_bytes();
        let front = [high, low, contents.is_some().into(), u8::try_from(retired.len()).ok()?];
        let bytes = contents.map(|contents| &**contents).unwrap_or_default();
        Some(Self([&front, key, retired.as_flattened(), bytes].concat().into()))
    }

    /// Returns the encoded key.
    pub fn key(&self) -> &[u8] {
        self.0.get(Self::FRONT..self.after_key()).unwrap_or_default()
    }

    /// Returns the memory of the key and its value, in bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Returns the value of the key, if it has one.
    pub fn contents(self) -> Option<Contents> {
        matches!(*self.0, [_, _, 1, ..]).then_some(Contents(Form::Packed(self)))
    }

    fn retired(&self) -> &[Fingerprint] {
        self.0.get(self.after_key()..self.after_retired()).unwrap_or_default().as_chunks().0
    }

    fn bytes(&self) -> &[u8] {
        self.0.get(self.after_retired()..).unwrap_or_default()
    }

    fn after_key(&self) -> usize {
        match *self.0 {
            [high, low, ..] => Self::FRONT + usize::from(u16::from_be_bytes([high, low])),
            _ => Self::FRONT,
        }
    }

    fn after_retired(&self) -> usize {
        let count = self.0.get(3).copied().unwrap_or_default();
        self.after_key() + usize::from(count) * size_of::<Fingerprint>()
    }
}

impl Deref for Contents {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Form::Plain(plain) => &plain.bytes,
            Form::Packed(packed) => packed.bytes(),
        }
    }
}

impl PartialEq for Contents {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// Shows the size only, because contents may be secret.
impl fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} bytes", self.len())
    }
}

impl From<Vec<u8>> for Contents {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes.into(), Box::default())
    }
}

impl From<&[u8]> for Contents {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(
            name in proptest::collection::vec(any::<u8>(), 0..450),
            bytes in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
            retired in proptest::collection::vec(any::<Fingerprint>(), 0..256),
        ) {
            let key = Key::record(&name);
            let contents = bytes.map(|bytes| Contents::new(bytes.into(), retired.into()));
            let packed = Packed::new(&key, contents.as_ref()).unwrap();
            prop_assert_eq!(packed.key(), key.encoded());
            let unpacked = packed.contents();
            prop_assert_eq!(&unpacked, &contents);
            let retired = |contents: &Option<Contents>| contents.as_ref().map(|c| c.retired().to_vec());
            prop_assert_eq!(retired(&unpacked), retired(&contents));
            let copy = unpacked.map(|contents| contents.with_retired(&[]));
            prop_assert_eq!(copy, contents);
        }
    }
}
