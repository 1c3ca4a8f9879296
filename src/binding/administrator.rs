//! The use cases as JavaScript sees them: JSON text in and out. `undefined` in place of a text means that `lib`
//! has to apply Dashboard's rules itself.

use super::answer::Answer;
use super::arguments::{record, secret};
use super::handle::NativeStore;
use super::js_string::JsString;
use super::reply::{on_worker, Reply};
use super::{errors, promise};
use crate::record::properties::Edit;
use crate::service::new_session_key;
use crate::service::{account, edit_record, reset_session_key, session, Found, Give, Lookup};
use crate::store::{self, Reader};
use napi::{Env, Result};
use napi_derive::napi;
use std::cell::RefCell;

#[napi]
impl NativeStore {
    /// Returns a session without `tokenHash`, and with `ended` if it is no longer valid at `now` in seconds. Returns
    /// undefined where JavaScript has to compute the answer. If the answer came from memory, the stamps of the session
    /// and of its account follow: the answer stays the same while both stamps are current and the session has not
    /// expired.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, sessionid: string, now: number, secret?: string, iv?: string",
        ts_return_type = "[string, number, number] | undefined | Promise<string | undefined>"
    )]
    pub fn session(
        &self,
        env: Env,
        appid: JsString,
        sessionid: JsString,
        now: f64,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-sessionid")?;
        let id = bytes(env, sessionid, "invalid-sessionid")?;
        let Ok(secret) = secret(key, iv) else {
            return Ok(Reply::Now(Answer::Undefined));
        };
        self.look_up(env, move |lookup, give| {
            session::get(lookup, &appid, &id, now, secret.as_ref(), give)
        })
    }

    /// Returns an account without its secrets. If the answer came from memory, the stamp of the account follows.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, accountid: string, secret?: string, iv?: string",
        ts_return_type = "[string, number] | undefined | Promise<string | undefined>"
    )]
    pub fn account(
        &self,
        env: Env,
        appid: JsString,
        accountid: JsString,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-accountid")?;
        let id = bytes(env, accountid, "invalid-accountid")?;
        let Ok(secret) = secret(key, iv) else {
            return Ok(Reply::Now(Answer::Undefined));
        };
        self.look_up(env, move |lookup, give| {
            account::get(lookup, &appid, &id, secret.as_ref(), give)
        })
    }

    /// Ends all sessions of an account at `now` in seconds. Returns the account without its secrets.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, accountid: string, now: number, secret?: string, iv?: string",
        ts_return_type = "Promise<string>"
    )]
    pub fn reset_session_key(
        &self,
        env: Env,
        appid: JsString,
        accountid: JsString,
        now: f64,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-accountid")?;
        let accountid = bytes(env, accountid, "invalid-accountid")?;
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let (promise, resolver) = promise::open(env)?;
        reset_session_key::patch(
            &store,
            &appid,
            &accountid,
            now,
            new_session_key(),
            secret,
            |result| {
                resolver.settle(result.map(|text| Answer::Json(Some(text))));
            },
        );
        Ok(Reply::Later(promise))
    }

    /// Sets the properties of the JSON object `set` in a record, and removes the properties named in `remove` (each a
    /// JSON string), as one change. If there is no record, it is created when `create` is true, else nothing happens.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string, set: string, remove: string[], create: boolean, secret?: string, iv?: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn edit(
        &self,
        env: Env,
        file: JsString,
        set: String,
        remove: Vec<String>,
        create: bool,
        key: Option<JsString>,
        iv: Option<JsString>,
    ) -> Result<Reply> {
        let record = record(env, file)?;
        let secret = secret(key, iv).map_err(|error| errors::throw(env, &error))?;
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let (promise, resolver) = promise::open(env)?;
        edit_record::edit(&store, record, Edit { set, remove }, create, secret, |result| {
            resolver.settle(result.map(|()| Answer::Undefined));
        });
        Ok(Reply::Later(promise))
    }
}

impl NativeStore {
    /// Answers with `find` from memory; if memory does not hold the records, calls `find` on a worker thread.
    fn look_up(
        &self,
        env: Env,
        find: impl Fn(&Lookup, &mut Give) -> store::Result<Found> + Send + 'static,
    ) -> Result<Reply> {
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let stamps = RefCell::new(Vec::with_capacity(2));
        let mut answer = None;
        let lookup = |key: &_| {
            // Taken before the record is read.
            stamps.borrow_mut().push(store.stamp(key));
            Ok(store.peek(key))
        };
        let found =
            find(&lookup, &mut |json| answer = Some(Answer::stamped(env, json, &stamps.borrow())));
        match (found, answer) {
            (Ok(Found::Answered), Some(answer)) => answer.map(Reply::Value),
            (Ok(Found::NeedsJavaScript), _) => Ok(Reply::Now(Answer::Undefined)),
            _ => {
                let reader = Reader::new(store);
                on_worker(env, move || {
                    let mut answer = None;
                    find(&|key| reader.read(key).map(Some), &mut |json| {
                        answer = Some(json.to_owned());
                    })?;
                    Ok(Answer::Json(answer))
                })
            }
        }
    }
}

fn bytes(env: Env, name: JsString, slug: &'static str) -> Result<Vec<u8>> {
    name.bytes(slug).map_err(|error| errors::throw(env, &error))
}
