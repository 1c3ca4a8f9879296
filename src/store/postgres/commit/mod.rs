//! Changes on their way to the database.
//!
//! - [`queue`]: the changes that wait; bounded
//! - [`pending`]: the changes of the batch that is being made
//! - [`transaction`], [`rows`]: computes changes from the stored records; what it makes of them
//! - [`statement`]: one statement that makes the computed changes
//! - [`resolve`]: finds out whether a statement had an effect when its answer was lost
//! - [`writer`], [`wipe`]: takes what waits, and makes one batch of it at a time; removes everything
//!
//! A batch is one statement, and one transaction, in which each request stands for itself. A row that another node, or a
//! program that knows nothing of us, has changed since it was read makes the requests that read it late: they are
//! computed again, while the others are done.
//!
//! Each open store has a row in `ds_node`. A batch writes its number and its late requests there, in the same transaction.
//! If the connection is lost, the row says what happened. Before it is read, `fence` is raised in it: a batch whose number
//! is not above the fence has no effect, however late the server gets to it.

pub mod pending;
pub mod queue;
pub mod resolve;
pub mod rows;
pub mod statement;
pub mod transaction;
pub mod wipe;
pub mod writer;
