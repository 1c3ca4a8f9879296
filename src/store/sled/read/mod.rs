//! Reads of many keys: pages of lists, and scans.

pub mod list;
pub mod page;
pub mod scan;
