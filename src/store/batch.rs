//! A batch for sled that knows which keys it touches.

/// Changes that become visible together.
#[derive(Default)]
pub struct Batch {
    batch: sled::Batch,
    touched: Vec<Box<[u8]>>,
}

impl Batch {
    /// Lets `value` stand at `key`.
    pub fn insert(&mut self, key: &[u8], value: Vec<u8>) {
        self.touched.push(key.into());
        self.batch.insert(key, value);
    }

    /// Lets nothing stand at `key`.
    pub fn remove(&mut self, key: &[u8]) {
        self.touched.push(key.into());
        self.batch.remove(key);
    }

    /// The keys that were inserted or removed.
    #[must_use]
    pub fn touched(&self) -> &[Box<[u8]>] {
        &self.touched
    }

    /// The batch itself.
    #[must_use]
    pub fn into_sled(self) -> sled::Batch {
        self.batch
    }
}
