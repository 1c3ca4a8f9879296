//! The contents of a record, as readers and the cache share them.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// Tells a value again that a stale write may not bring back; the rule about those makes it.
pub type Fingerprint = [u8; 8];

/// The bytes of a value, shared between the cache and readers.
#[derive(Clone)]
pub struct Contents(Arc<Shared>);

struct Shared {
    bytes: Box<[u8]>,
    retired: Box<[Fingerprint]>,
    derived: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Contents {
    /// Contents and what a stale write of the record may not bring back.
    pub(in crate::store) fn new(bytes: Box<[u8]>, retired: Box<[Fingerprint]>) -> Self {
        Self(Arc::new(Shared { bytes, retired, derived: OnceLock::new() }))
    }

    /// The same bytes, with what a stale write of the record may not bring back. Readers never see that.
    #[must_use]
    pub fn with_retired(self, retired: &[Fingerprint]) -> Self {
        let bytes =
            Arc::try_unwrap(self.0).map_or_else(|shared| shared.bytes.clone(), |own| own.bytes);
        Self::new(bytes, retired.into())
    }

    /// What a stale write of the record may not bring back.
    #[must_use]
    pub fn retired(&self) -> &[Fingerprint] {
        &self.0.retired
    }

    /// What is stored, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.len() + size_of_val(self.retired())
    }

    /// What `make` makes of the bytes: made once, and kept for as long as the bytes themselves are.
    /// `None` if something of another type is kept.
    pub fn derived<T: Any + Send + Sync>(&self, make: impl FnOnce(&[u8]) -> T) -> Option<&T> {
        self.0.derived.get_or_init(|| Box::new(make(&self.0.bytes))).downcast_ref()
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

/// Contents may be secret, so they are not shown.
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
