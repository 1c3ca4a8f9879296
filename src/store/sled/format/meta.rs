//! Values of the store itself: the number of the last commit, and the quarantine mark.

use crate::store::key::{ChunkId, Key};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value;

/// Key of the number of the last commit that sled has.
pub const APPLIED: &str = "applied";

/// Key of the quarantine mark. The name is part of the format, and says for what the mark was first used.
pub const QUARANTINE: &str = "sessions-to-end";

/// Adds the quarantine mark to `batch`.
pub fn put_quarantine(batch: &mut Batch) {
    let key = Key::meta(QUARANTINE);
    let id = ChunkId { commit_number: 0, ordinal: u32::MAX };
    batch.insert(key.encoded(), value::encode(&key, &vec![1].into(), id).head);
}

/// Adds the number of its commit, `commit_number`, to `batch`.
pub fn put_applied(batch: &mut Batch, commit_number: u64) {
    let key = Key::meta(APPLIED);
    let id = ChunkId { commit_number, ordinal: u32::MAX };
    batch.insert(
        key.encoded(),
        value::encode(&key, &commit_number.to_be_bytes().as_slice().into(), id).head,
    );
}
