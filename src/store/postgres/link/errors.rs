//! Errors of PostgreSQL as errors of the store. A message of the server may quote a record; therefore it is shown only
//! for the kinds of errors that cannot.

use crate::store::error::StoreError;
use crate::store::problem::Problem;
use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use tokio_postgres::error::SqlState;
use tokio_postgres::Error;

/// The meaning of a failed statement for its caller.
pub enum Failure {
    /// The statement had no effect, and may succeed if it is run again.
    Again,
    /// The connection is gone. If the statement changes something, it is not known whether it did.
    Lost(String),
    /// The server refused the statement, which had no effect.
    Refused(StoreError),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Again => formatter.write_str("the server asks for another attempt"),
            Self::Lost(cause) => formatter.write_str(cause),
            Self::Refused(error) => error.fmt(formatter),
        }
    }
}

/// Sorts the error of a statement.
pub fn sort(action: &'static str, error: &Error) -> Failure {
    let Some(refusal) = error.as_db_error() else {
        return Failure::Lost(describe(error));
    };
    let code = refusal.code();
    match code {
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::UNIQUE_VIOLATION
        | &SqlState::LOCK_NOT_AVAILABLE => Failure::Again,
        // The server ends, or is a replica now: another connection is needed.
        &SqlState::READ_ONLY_SQL_TRANSACTION => Failure::Lost(describe(error)),
        // Class 57 is the intervention of an operator, 53 a lack of resources, 08 the connection. A commit that was
        // cancelled while it waited for other servers is made on this server, so its outcome is not known.
        code if ["57", "08"].iter().any(|class| code.code().starts_with(class)) => {
            Failure::Lost(describe(error))
        }
        _ => Failure::Refused(StoreError::Postgres { action, cause: describe(error) }),
    }
}

/// Describes an error for people, without a password and without contents.
pub fn describe(error: &Error) -> String {
    let Some(refusal) = error.as_db_error() else {
        // The cause says more than the error: "error connecting to server" is followed by the reason.
        return error.source().map_or_else(|| error.to_string(), ToString::to_string);
    };
    let code = refusal.code().code();
    let is_harmless = ["08", "25", "28", "3D", "42", "53", "55", "57", "58"]
        .iter()
        .any(|class| code.starts_with(class));
    if is_harmless {
        format!("{}, code {code}", refusal.message())
    } else {
        format!("code {code}")
    }
}

/// Returns the error of an attempt to connect.
pub fn of_connecting(name: &Arc<str>, error: &Error) -> StoreError {
    let name = Arc::clone(name);
    let cause = describe(error);
    let problem = match error.code().map(SqlState::code) {
        Some(code) if code.starts_with("28") || code.starts_with("3D") => Problem::Refused(cause),
        Some("42501") => Problem::Refused(cause),
        Some(_) => return StoreError::Unavailable { name, cause },
        None => match kind_of(error) {
            Kind::Tls => Problem::Untrusted(cause),
            Kind::Protocol => Problem::OtherServer(cause),
            Kind::Password => Problem::Refused(cause),
            Kind::Network => return StoreError::Unavailable { name, cause },
        },
    };
    StoreError::Unsuitable { name, problem }
}

enum Kind {
    Network,
    Password,
    Protocol,
    Tls,
}

/// Returns the kind of an error without a code. The library does not tell it in another way than by its text.
fn kind_of(error: &Error) -> Kind {
    let text = error.to_string();
    if text.contains("TLS") {
        // A server that closes the connection during the handshake is a failure of the network.
        let is_refusal = error.source().is_none_or(|cause| {
            cause.downcast_ref::<std::io::Error>().is_none_or(|cause| {
                matches!(
                    cause.kind(),
                    std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput
                )
            })
        });
        return if is_refusal { Kind::Tls } else { Kind::Network };
    }
    if text.contains("unexpected message") || text.contains("parsing response") {
        return Kind::Protocol;
    }
    if text.contains("authentication") || text.contains("password") {
        return Kind::Password;
    }
    Kind::Network
}
