//! Reads of lists, and reads of many keys.
//!
//! - [`list`]: the head and the tallies of a list
//! - [`page`]: one page of a list, as a snapshot
//! - [`scan`]: all records or all list items, page by page
//!
//! Pages and scans read sled through the shared disk. They first wait until sled has the last acknowledged commit, if
//! they may meet its keys.

pub mod list;
pub mod page;
pub mod scan;
