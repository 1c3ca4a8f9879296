//! sled itself: the only files that name it.

pub mod disk;
mod errors;
pub mod range;
pub mod recovery;
pub mod release;
pub mod start;
#[cfg(target_os = "linux")]
pub mod sync_file_range;
pub mod thread_priority;
