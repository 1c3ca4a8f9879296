//! `global.api.administrator.Session` of the host.

use super::{record_key, with_read, Answer, Lookup};
use crate::record::account::Account;
use crate::record::cipher::Secret;
use crate::record::session::Session;
use crate::store::Result;

/// The session as JSON at `now` in seconds, without `tokenHash`, and with `ended` if its time is over.
pub fn get(
    lookup: impl Lookup,
    appid: &[u8],
    sessionid: &[u8],
    now: f64,
    secret: Option<&Secret>,
) -> Result<Answer> {
    let Some(session) = lookup(&record_key(appid, "session", sessionid))? else {
        return Ok(None);
    };
    let Some(session) = session else {
        return Ok(Some(None));
    };
    let accountid = with_read(&session, secret, Session::read, |read| Some(read.accountid.clone()));
    let Some(accountid) = accountid else {
        return Ok(Some(None));
    };
    let Some(account) = lookup(&record_key(appid, "account", accountid.as_bytes()))? else {
        return Ok(None);
    };
    Ok(Some(account.and_then(|account| {
        with_read(&account, secret, Account::read, |account| {
            with_read(&session, secret, Session::read, |session| session.at(now, account))
        })
    })))
}
