//! Values of the store itself: the number of the last commit, and the mark that sessions have to be ended.

use crate::store::key::{ChunkId, Key};
use crate::store::sled::format::batch::Batch;
use crate::store::sled::format::value;

/// The key of the last applied sequence.
pub const APPLIED: &str = "applied";

/// The key of the mark that every session has to be ended before the store may be used.
pub const MARK: &str = "sessions-to-end";

/// Notes in `batch` that every session has to be ended before the store may be used.
pub fn put_mark(batch: &mut Batch) {
    let key = Key::meta(MARK);
    let id = ChunkId { sequence: 0, ordinal: u32::MAX };
    batch.insert(key.encoded(), value::encode(&key, &vec![1].into(), id).head);
}

/// Notes in `batch` that it is number `sequence`.
pub fn put_applied(batch: &mut Batch, sequence: u64) {
    let key = Key::meta(APPLIED);
    let id = ChunkId { sequence, ordinal: u32::MAX };
    batch.insert(
        key.encoded(),
        value::encode(&key, &sequence.to_be_bytes().as_slice().into(), id).head,
    );
}
