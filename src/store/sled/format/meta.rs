//! Values of the store itself: the number of the last commit, and the quarantine mark.

use crate::store::key::{ChunkId, Key};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value;

/// Key of the number of the last change that sled has.
pub const APPLIED: &str = "applied";

/// Key of the quarantine mark. The name is part of the format, and says for what the mark was first used.
pub const QUARANTINE: &str = "sessions-to-end";

/// Adds the quarantine mark to `batch`.
pub fn put_quarantine(batch: &mut Batch) {
    let key = Key::meta(QUARANTINE);
    let id = ChunkId { sequence: 0, ordinal: u32::MAX };
    batch.insert(key.encoded(), value::encode(&key, &vec![1].into(), id).head);
}

/// Adds the number of the batch, `sequence`, to `batch`.
pub fn put_applied(batch: &mut Batch, sequence: u64) {
    let key = Key::meta(APPLIED);
    let id = ChunkId { sequence, ordinal: u32::MAX };
    batch.insert(
        key.encoded(),
        value::encode(&key, &sequence.to_be_bytes().as_slice().into(), id).head,
    );
}
