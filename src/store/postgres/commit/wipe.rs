//! The removal of everything, for tests of the host.

use crate::store::error::Result;
use crate::store::postgres::commit::writer::{Writer, FIRST_PAUSE};
use crate::store::postgres::lease::wait::Others;
use crate::store::postgres::link::errors::Failure;
use std::time::Instant;
use tokio::time::sleep;

impl Writer {
    /// Removes everything. It can be repeated, so a lost answer does not matter.
    pub(super) async fn wipe(&mut self) -> Result<()> {
        let end = Instant::now() + self.limit;
        let wipe = format!(
            "DELETE FROM objects; DELETE FROM lists; UPDATE ds_epoch SET epoch = epoch + 1 WHERE id = 1; \
            SELECT pg_notify('ds_change_' || (SELECT oid FROM pg_namespace WHERE nspname = current_schema()), (SELECT epoch FROM ds_epoch WHERE id = 1) || E'\\x1f{}\\x1f*')",
            self.node,
        );
        loop {
            let wiped = match self.connect().await {
                Ok(()) => match &self.connection {
                    Some(connection) => {
                        let left = end.saturating_duration_since(Instant::now());
                        connection.execute_within(left, "remove everything", &wipe).await
                    }
                    None => Err(Failure::Again),
                },
                Err(failure) => Err(failure),
            };
            let cause = match wiped {
                Ok(()) => {
                    self.lease.drop_all();
                    let connection = self.connection.as_ref();
                    if let Some(others) = Others::ask(connection, &self.node).await {
                        others.wait(&self.lease).await;
                    }
                    return Ok(());
                }
                Err(Failure::Refused(error)) => return Err(error),
                Err(Failure::Again) => "other processes change the same records".to_owned(),
                Err(Failure::Lost(cause)) => {
                    self.connection = None;
                    cause
                }
            };
            if Instant::now() > end {
                return Err(self.connector.unavailable(cause));
            }
            sleep(FIRST_PAUSE).await;
        }
    }
}
