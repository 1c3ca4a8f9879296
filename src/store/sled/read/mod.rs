//! Reads of many keys: pages of lists, and scans.

pub mod page;
pub mod scan;
