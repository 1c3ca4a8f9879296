//! Encoding of values and batches.
//!
//! - [`value`]: one value with its checksum, in one piece or in chunks
//! - [`batch`]: the changes of one commit
//! - [`meta`]: values of the store itself
//!
//! A commit encodes each new value, and collects the results in one batch, which goes to the journal and then to sled.

pub(in crate::store) mod batch;
pub(in crate::store) mod meta;
pub mod value;
