//! Connections to the servers.
//!
//! - [`url`], [`password`]: the address of a database
//! - [`tls`]: encrypted connections
//! - [`connection`]: connects, and refuses a server that cannot hold a store
//! - [`errors`]: errors of PostgreSQL as errors of the store
//! - [`probe`]: recognizes a server of another kind
//! - [`pool`]: the connections that readers share

pub mod connection;
pub mod errors;
pub mod password;
pub mod pool;
mod probe;
pub mod tls;
pub mod url;
