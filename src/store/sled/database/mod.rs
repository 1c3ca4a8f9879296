//! The sled database: opening, reading, writing and closing it.
//!
//! - [`start`]: opens sled
//! - [`recovery`]: repairs sled's own files before an open
//! - [`disk`]: reads and writes keys
//! - [`read_ahead`]: fills free memory with the log, `free_memory` says how much there is
//! - [`range`]: iterates over keys, and steps over damage
//! - [`snapshot`]: writes snapshots of sled's page table, so that an open reads little
//! - [`release`]: closes sled after its last user
//! - [`errors`]: converts sled's errors
//! - [`sync_file_range`], [`thread_priority`]: make sled's writes durable, and keep its threads in the background
//!
//! The writer applies each batch through [`disk`]. Readers borrow the same disk through [`release`].

pub mod disk;
pub mod errors;
#[cfg(target_os = "linux")]
mod free_memory;
pub mod range;
#[cfg(target_os = "linux")]
pub mod read_ahead;
pub mod recovery;
pub mod release;
#[cfg(unix)]
pub mod snapshot;
pub mod start;
#[cfg(target_os = "linux")]
pub mod sync_file_range;
pub mod thread_priority;
