//! The bytes of values, and of changes that belong together.

pub(in crate::store) mod batch;
pub(in crate::store) mod meta;
pub mod value;
