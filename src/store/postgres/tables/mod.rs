//! The tables.
//!
//! - [`names`]: names of the host as text of PostgreSQL
//! - [`schema`]: the tables, and their migration
//! - [`read`]: statements that read

pub mod blocks;
pub mod names;
pub mod read;
pub mod schema;
