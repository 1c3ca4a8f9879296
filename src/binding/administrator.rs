//! The use cases as JavaScript sees them: JSON text in and out. `false` in place of a text means that `lib` has to apply
//! Dashboard's rules itself.

use super::answer::Answer;
use super::arguments;
use super::errors;
use super::handle::NativeStore;
use super::js_string::JsString;
use super::reply::{look_up, Reply};
use super::secret::{self, NativeSecret};
use crate::service::lookup::Memory;
use crate::service::{account, reset_session_key, session};
use crate::store::Reader;
use napi::bindgen_prelude::External;
use napi::{Env, Result};
use napi_derive::napi;

#[napi]
impl NativeStore {
    /// Returns a session without `tokenHash`, and with `ended` if it is no longer valid at `now` in seconds, as JSON.
    /// The versions of the session, of its account and of the ends of its application follow: the answer stays the same
    /// while all are current and the session has not expired. Returns false where JavaScript has to compute the answer.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, sessionid: string, now: number, secret?: object",
        ts_return_type = "[string, number, number, number] | false | Promise<[string, number, number, number] | false>"
    )]
    pub fn session(
        &self,
        env: Env,
        appid: JsString,
        sessionid: JsString,
        now: f64,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-sessionid")?;
        let id = bytes(env, sessionid, "invalid-sessionid")?;
        let Ok(secret) = secret::get(secret) else {
            return Ok(Reply::Now(Answer::NeedsJavaScript));
        };
        let answer = |found: Option<_>| found.map_or(Answer::NeedsJavaScript, Answer::Session);
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        if let Ok(found) = session::get(&Memory(&store), &appid, &id, now, secret.as_ref()) {
            return Ok(Reply::Now(answer(found)));
        }
        look_up(env, Reader::new(store), move |store| {
            session::get(store, &appid, &id, now, secret.as_ref()).map(answer)
        })
    }

    /// Returns an account without its secrets, as JSON. Returns false where JavaScript has to compute the answer.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, accountid: string, secret?: object",
        ts_return_type = "string | false | Promise<string | false>"
    )]
    pub fn account(
        &self,
        env: Env,
        appid: JsString,
        accountid: JsString,
        secret: Option<&External<NativeSecret>>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-accountid")?;
        let id = bytes(env, accountid, "invalid-accountid")?;
        let Ok(secret) = secret::get(secret) else {
            return Ok(Reply::Now(Answer::NeedsJavaScript));
        };
        let answer = |found: Option<_>| found.map_or(Answer::NeedsJavaScript, Answer::Json);
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        if let Ok(found) = account::get(&Memory(&store), &appid, &id, secret.as_ref()) {
            return Ok(Reply::Now(answer(found)));
        }
        look_up(env, Reader::new(store), move |store| {
            account::get(store, &appid, &id, secret.as_ref()).map(answer)
        })
    }

    /// Ends all sessions of an account at `now` in seconds. `attribution` as in [`Self::write`]. Returns the account
    /// without its secrets.
    #[napi(
        catch_unwind,
        ts_args_type = "appid: string, accountid: string, now: number, secret?: object, attribution?: string",
        ts_return_type = "Promise<string>"
    )]
    pub fn reset_session_key(
        &self,
        env: Env,
        appid: JsString,
        accountid: JsString,
        now: f64,
        secret: Option<&External<NativeSecret>>,
        attribution: Option<String>,
    ) -> Result<Reply> {
        let appid = bytes(env, appid, "invalid-accountid")?;
        let accountid = bytes(env, accountid, "invalid-accountid")?;
        let secret = arguments::secret(env, secret)?;
        self.begin_change(env, |store, resolver| {
            let attribution = attribution.map(Into::into);
            reset_session_key::patch(
                store,
                &appid,
                &accountid,
                now,
                secret,
                attribution,
                |result| {
                    resolver.settle(result.map(Answer::Json));
                },
            );
        })
    }
}

fn bytes(env: Env, name: JsString, slug: &'static str) -> Result<Vec<u8>> {
    name.bytes(slug).map_err(|error| errors::throw(env, &error))
}
