//! The use cases as JavaScript sees them: JSON text in and out. `undefined` instead of a text says that
//! `src/facade` has to apply the host's rules itself.

use super::answer::{self, Answer};
use super::arguments::{record, secret};
use super::name::Name;
use super::reply::{on_worker, Reply};
use super::storage::{new_session_key, NativeStore};
use super::{errors, promise};
use crate::administrator::{account, reset_session_key, session};
use crate::record::cipher;
use crate::record::properties::{self, Edit};
use crate::store::{Change, StoreError};
use napi::{Env, Result};
use napi_derive::napi;

#[napi]
impl NativeStore {
    /// A session without `tokenHash`, and with `ended` if its time is over at `now` in seconds;
    /// undefined where JavaScript has to look itself.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, sessionid: string, now: number, secret?: string, iv?: string",
        ts_return_type = "string | undefined | Promise<string | undefined>"
    )]
    pub fn session(
        &self,
        env: Env,
        appid: Name,
        sessionid: Name,
        now: f64,
        key: Option<Name>,
        iv: Option<Name>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-sessionid")?;
        let id = bytes(env, sessionid, "invalid-sessionid")?;
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let Ok(secret) = secret(key, iv) else {
            return Ok(Reply::Now(Answer::Done));
        };
        let found = {
            let lookup = |key: &_| Ok(store.peek(key));
            let give = |json: &str| answer::text(env.raw(), json.as_bytes());
            session::get(lookup, &appid, &id, now, secret.as_ref(), give).ok().flatten()
        };
        match found {
            Some(Some(text)) => text.map(Reply::Value),
            Some(None) => Ok(Reply::Now(Answer::Done)),
            None => on_worker(env, move || {
                let lookup = |key: &_| store.read(key).map(Some);
                let found = session::get(lookup, &appid, &id, now, secret.as_ref(), str::to_owned)?;
                Ok(Answer::Json(found.flatten()))
            }),
        }
    }

    /// An account without its secrets.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, accountid: string, secret?: string, iv?: string",
        ts_return_type = "string | undefined | Promise<string | undefined>"
    )]
    pub fn account(
        &self,
        env: Env,
        appid: Name,
        accountid: Name,
        key: Option<Name>,
        iv: Option<Name>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-accountid")?;
        let id = bytes(env, accountid, "invalid-accountid")?;
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let Ok(secret) = secret(key, iv) else {
            return Ok(Reply::Now(Answer::Done));
        };
        let found = {
            let lookup = |key: &_| Ok(store.peek(key));
            let give = |json: &str| answer::text(env.raw(), json.as_bytes());
            account::get(lookup, &appid, &id, secret.as_ref(), give).ok().flatten()
        };
        match found {
            Some(Some(text)) => text.map(Reply::Value),
            Some(None) => Ok(Reply::Now(Answer::Done)),
            None => on_worker(env, move || {
                let lookup = |key: &_| store.read(key).map(Some);
                let found = account::get(lookup, &appid, &id, secret.as_ref(), str::to_owned)?;
                Ok(Answer::Json(found.flatten()))
            }),
        }
    }

    /// Ends all sessions of an account at `now` in seconds; the account without its secrets.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, accountid: string, now: number, secret?: string, iv?: string",
        ts_return_type = "Promise<string>"
    )]
    pub fn reset_session_key(
        &self,
        env: Env,
        appid: Name,
        accountid: Name,
        now: f64,
        key: Option<Name>,
        iv: Option<Name>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-accountid")?;
        let accountid = bytes(env, accountid, "invalid-accountid")?;
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let (promise, ticket) = promise::open(env)?;
        reset_session_key::patch(
            &store,
            &appid,
            &accountid,
            now,
            new_session_key(),
            secret,
            |result| {
                ticket.settle(result.map(|text| Answer::Json(Some(text))));
            },
        );
        Ok(Reply::Later(promise))
    }

    /// Sets the properties of the JSON object `set` in a record, and removes those named in `remove` (each a JSON string), as
    /// one change. A missing record is made if `create` is set, else left missing.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string, set: string, remove: string[], create: boolean, secret?: string, iv?: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn edit(
        &self,
        env: Env,
        file: Name,
        set: String,
        remove: Vec<String>,
        create: bool,
        key: Option<Name>,
        iv: Option<Name>,
    ) -> Result<Reply> {
        let record = record(env, file)?;
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let size = set.len() + remove.iter().map(String::len).sum::<usize>();
        let edit = Edit { set, remove };
        let opened_with = secret.clone();
        let change = Change::Update {
            record,
            edit: Box::new(move |stored| {
                let secret = opened_with.as_ref();
                let text = match stored {
                    // To the host an empty record is a missing one.
                    None | Some([]) if create => "{}".into(),
                    None | Some([]) => return Ok(None),
                    Some(stored) => {
                        cipher::open(stored, secret).ok_or(StoreError::Refused("invalid-object"))?
                    }
                };
                let text =
                    properties::apply(&text, &edit).ok_or(StoreError::Refused("invalid-object"))?;
                Ok(Some(cipher::seal(text, secret).into()))
            }),
            size,
            secret,
        };
        self.change(env, vec![change])
    }
}

fn bytes(env: Env, name: Name, slug: &'static str) -> Result<Vec<u8>> {
    name.bytes(slug).map_err(|error| errors::throw(env, &error))
}
