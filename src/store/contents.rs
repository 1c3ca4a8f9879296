//! The contents of a record, shared between the cache and readers.

use crate::record::stale::Fingerprint;
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The bytes of a value, shared between the cache and readers.
#[derive(Clone)]
pub struct Contents(Arc<Shared>);

struct Shared {
    bytes: Box<[u8]>,
    retired: Box<[Fingerprint]>,
    cached_parse: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Contents {
    /// Returns contents with the fingerprints of the values that a stale write of the record must not restore.
    pub(in crate::store) fn new(bytes: Box<[u8]>, retired: Box<[Fingerprint]>) -> Self {
        Self(Arc::new(Shared { bytes, retired, cached_parse: OnceLock::new() }))
    }

    /// Returns the same bytes with the fingerprints of the values that a stale write must not restore. Readers never
    /// see the fingerprints.
    #[must_use]
    pub fn with_retired(self, retired: &[Fingerprint]) -> Self {
        let bytes =
            Arc::try_unwrap(self.0).map_or_else(|shared| shared.bytes.clone(), |own| own.bytes);
        Self::new(bytes, retired.into())
    }

    /// Returns the fingerprints of the values that a stale write of the record must not restore.
    #[must_use]
    pub fn retired(&self) -> &[Fingerprint] {
        &self.0.retired
    }

    /// Returns the stored size in bytes, fingerprints included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.len() + size_of_val(self.retired())
    }

    /// Returns the result of `make` for the bytes. It is computed once, and cached for as long as the bytes. `None` if
    /// a result of another type is cached.
    pub fn cached_parse<T: Any + Send + Sync>(&self, make: impl FnOnce(&[u8]) -> T) -> Option<&T> {
        self.0.cached_parse.get_or_init(|| Box::new(make(&self.0.bytes))).downcast_ref()
    }
}

impl Deref for Contents {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.bytes
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
