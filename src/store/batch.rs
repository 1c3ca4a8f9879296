//! A batch for sled that knows which keys it touches.

/// Changes that become visible together.
#[derive(Default)]
pub struct Batch {
    batch: sled::Batch,
    touched: Vec<sled::IVec>,
}

impl Batch {
    /// Lets `value` stand at `key`.
    pub fn insert(&mut self, key: &[u8], value: Vec<u8>) {
        // sled's own keys are shared, so this one is copied once.
        let key = sled::IVec::from(key);
        self.touched.push(key.clone());
        self.batch.insert(key, value);
    }

    /// Lets nothing stand at `key`.
    pub fn remove(&mut self, key: &[u8]) {
        let key = sled::IVec::from(key);
        self.touched.push(key.clone());
        self.batch.remove(key);
    }

    /// The keys that were inserted or removed.
    #[must_use]
    pub fn touched(&self) -> &[sled::IVec] {
        &self.touched
    }

    /// The batch itself.
    #[must_use]
    pub fn into_sled(self) -> sled::Batch {
        self.batch
    }
}
