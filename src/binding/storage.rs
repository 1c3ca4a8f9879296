//! The store as JavaScript sees it. `lib` adds Dashboard's names and checks arguments.
//!
//! An answer that is cached is returned at once, any other one as a promise. Nothing here blocks.

use super::answer::Answer;
use super::arguments::{self, contents, item, list, record};
use super::errors;
use super::handle::NativeStore;
use super::js_string::JsString;
use super::promise::{self, Resolver};
use super::reply::{look_up, look_up_long, on_worker, Reply};
use super::secret::{self, NativeSecret};
use crate::record::cipher::Secret;
use crate::store::{self, Cached, Change, Contents, Lease, Notice, Reader, Store, View};
use napi::bindgen_prelude::External;
use napi::{Env, Result};
use napi_derive::napi;
use std::sync::Arc;

/// Maximum number of items in a page that counts as a look-up.
const SHORT_PAGE: u64 = 1000;

/// A condition that an operator should know about, although the store works.
#[napi(object)]
pub struct NativeNotice {
    /// Stable, for programs.
    pub code: String,
    /// A sentence for people.
    pub text: String,
}

impl NativeStore {
    /// Answers with `peek` from memory; if memory cannot answer, with the look-up `read`.
    pub fn answer(
        &self,
        env: Env,
        peek: impl FnOnce(&Store) -> Cached<Answer>,
        read: impl Fn(&View<'_>) -> store::Result<Answer> + Send + 'static,
    ) -> Result<Reply> {
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        if let Ok(answer) = peek(&store) {
            return Ok(Reply::Now(answer));
        }
        look_up(env, Reader::new(store), read)
    }

    /// Submits `changes`. Returns a promise that resolves when they are durable.
    pub fn change(&self, env: Env, changes: Vec<Change>) -> Result<Reply> {
        self.begin_change(env, |store, resolver| {
            let done = |result: store::Result<()>| {
                resolver.settle(result.map(|()| Answer::Undefined));
            };
            store.submit(changes, Box::new(done));
        })
    }

    /// Calls `begin` with the store. Returns a promise, which `begin` has to settle when its change is durable.
    pub fn begin_change(&self, env: Env, begin: impl FnOnce(&Store, Resolver)) -> Result<Reply> {
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let (promise, resolver) = promise::open(env)?;
        begin(&store, resolver);
        Ok(Reply::Later(promise))
    }

    fn write_contents(
        &self,
        env: Env,
        file: JsString,
        bytes: impl AsRef<[u8]> + Into<Contents>,
        secret: Option<Secret>,
        slug: &'static str,
        attribution: Option<String>,
    ) -> Result<Reply> {
        let record = record(env, file)?;
        let contents = contents(env, record.most_bytes(), bytes, slug)?;
        let change = Change::Write { record, contents, secret: secret.clone() };
        self.change(env, vec![change.attributed(attribution.map(Into::into), secret)])
    }
}

#[napi]
impl NativeStore {
    /// Returns the number of the store in this thread, while it is open.
    #[napi(catch_unwind, getter)]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns whether there is a record.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string",
        ts_return_type = "boolean | Promise<boolean>"
    )]
    pub fn exists(&self, env: Env, file: JsString) -> Result<Reply> {
        let key = record(env, file)?.key;
        let known = key.clone();
        self.answer(
            env,
            move |store| store.peek(&known).map(|contents| Answer::Flag(contents.is_some())),
            move |store| Ok(Answer::Flag(store.read(&key)?.is_some())),
        )
    }

    /// Returns a record as text, from memory or from the disk.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string",
        ts_return_type = "Promise<string | undefined>"
    )]
    pub fn read(&self, env: Env, file: JsString) -> Result<Reply> {
        let key = record(env, file)?.key;
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        look_up(env, store, move |store| store.read(&key).map(Answer::Text))
    }

    /// Returns records as text, in the order of `files`.
    #[napi(
        catch_unwind,
        ts_args_type = "files: string[]",
        ts_return_type = "(string | undefined)[] | Promise<(string | undefined)[]>"
    )]
    pub fn read_many(&self, env: Env, files: Vec<JsString>) -> Result<Reply> {
        let keys: Vec<_> =
            files.into_iter().map(|file| Ok(record(env, file)?.key)).collect::<Result<_>>()?;
        let known = keys.clone();
        self.answer(
            env,
            move |store| {
                known.iter().map(|key| store.peek(key)).collect::<Cached<_>>().map(Answer::Texts)
            },
            move |store| store.read_all(&keys).map(Answer::Texts),
        )
    }

    /// Returns a record as bytes.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string",
        ts_return_type = "Buffer | undefined | Promise<Buffer | undefined>"
    )]
    pub fn read_binary(&self, env: Env, file: JsString) -> Result<Reply> {
        let key = record(env, file)?.key;
        let known = key.clone();
        self.answer(
            env,
            move |store| store.peek(&known).map(Answer::Bytes),
            move |store| store.read(&key).map(Answer::Bytes),
        )
    }

    /// Writes a record from text. The rule against stale writes needs Dashboard's secret to compare records.
    /// `attribution`, a JSON object, says who asked for it: what it ends gets an entry.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string, contents: string, secret?: object, attribution?: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn write(
        &self,
        env: Env,
        file: JsString,
        contents: String,
        secret: Option<&External<NativeSecret>>,
        attribution: Option<String>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        let contents = contents.into_bytes();
        self.write_contents(env, file, contents, secret, "invalid-contents", attribution)
    }

    /// As [`Self::write`], from bytes.
    #[napi(
        catch_unwind,
        ts_args_type = "file: string, bytes: Uint8Array, secret?: object, attribution?: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn write_binary(
        &self,
        env: Env,
        file: JsString,
        bytes: &[u8],
        secret: Option<&External<NativeSecret>>,
        attribution: Option<String>,
    ) -> Result<Reply> {
        let secret = arguments::secret(env, secret)?;
        self.write_contents(env, file, bytes, secret, "invalid-buffer", attribution)
    }

    /// Removes a record if it exists. `attribution` as in [`Self::write`].
    #[napi(
        catch_unwind,
        ts_args_type = "file: string, secret?: object, attribution?: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn remove(
        &self,
        env: Env,
        file: JsString,
        secret: Option<&External<NativeSecret>>,
        attribution: Option<String>,
    ) -> Result<Reply> {
        let record = record(env, file)?;
        // Only to see what ends; without a valid secret the record is removed as well.
        let secret = secret::get(secret).unwrap_or_default();
        let change = Change::Remove { record };
        self.change(env, vec![change.attributed(attribution.map(Into::into), secret)])
    }

    /// Adds `items[n]` to the list at `paths[n]`, all of them or none.
    #[napi(
        catch_unwind,
        ts_args_type = "paths: string[], items: string[]",
        ts_return_type = "Promise<void>"
    )]
    pub fn add(&self, env: Env, paths: Vec<JsString>, items: Vec<JsString>) -> Result<Reply> {
        let changes = paths
            .into_iter()
            .zip(items)
            .map(|(path, added)| {
                Ok(Change::ListAdd { path: list(env, path)?, item: item(env, added)? })
            })
            .collect::<Result<_>>()?;
        self.change(env, changes)
    }

    /// Removes `itemid` from a list if it is in it.
    #[napi(
        catch_unwind,
        ts_args_type = "path: string, itemid: string",
        ts_return_type = "Promise<void>"
    )]
    pub fn discard(&self, env: Env, path: JsString, itemid: JsString) -> Result<Reply> {
        let change = Change::ListRemove { path: list(env, path)?, item: item(env, itemid)? };
        self.change(env, vec![change])
    }

    /// Returns the number of items in a list.
    #[napi(
        catch_unwind,
        ts_args_type = "path: string",
        ts_return_type = "number | Promise<number>"
    )]
    pub fn count(&self, env: Env, path: JsString) -> Result<Reply> {
        let path = list(env, path)?;
        let known = path.clone();
        self.answer(
            env,
            move |store| store.peek_count(&known).map(Answer::Count),
            move |store| store.count(&path).map(Answer::Count),
        )
    }

    /// Returns whether a list holds an item.
    #[napi(
        catch_unwind,
        ts_args_type = "path: string, itemid: string",
        ts_return_type = "boolean | Promise<boolean>"
    )]
    pub fn has(&self, env: Env, path: JsString, itemid: JsString) -> Result<Reply> {
        let path = list(env, path)?;
        let item = item(env, itemid)?;
        let (known_path, known_item) = (path.clone(), item.clone());
        self.answer(
            env,
            move |store| store.peek_has(&known_path, &known_item).map(Answer::Flag),
            move |store| store.has(&path, &item).map(Answer::Flag),
        )
    }

    /// Returns at most `size` items, newest first, after skipping the `offset` newest ones.
    #[napi(
        catch_unwind,
        ts_args_type = "path: string, offset: number, size: number",
        ts_return_type = "Promise<string[]>"
    )]
    pub fn page(&self, env: Env, path: JsString, offset: f64, size: f64) -> Result<Reply> {
        let path = list(env, path)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "lib lets no negative number through, and the cast saturates"
        )]
        let (offset, size) = (offset as u64, size as u64);
        let store = self.store().map_err(|error| errors::throw(env, &error))?;
        let counted = (Arc::clone(&store), path.clone());
        let is_long =
            move || Ok(counted.0.count(&counted.1)?.saturating_sub(offset).min(size) > SHORT_PAGE);
        let read = move |store: &View<'_>| store.page(&path, offset, size).map(Answer::Items);
        look_up_long(env, Reader::new(store), is_long, read)
    }

    /// Returns at most `size` items, newest first, whose sequence number is below `before`, as a JSON array of sequence
    /// numbers and items. Such a page does not shift while items come and go.
    #[napi(
        catch_unwind,
        ts_args_type = "path: string, before: number | undefined, size: number",
        ts_return_type = "Promise<string>"
    )]
    pub fn page_before(
        &self,
        env: Env,
        path: JsString,
        before: Option<f64>,
        size: u32,
    ) -> Result<Reply> {
        let path = list(env, path)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "lib lets no negative number through, and the cast saturates"
        )]
        let before = before.map(|before| before as u64);
        let store = self.reader().map_err(|error| errors::throw(env, &error))?;
        on_worker(env, move || {
            let page = store.page_before(&path, before, size.into())?;
            let text = |item: &Contents| String::from_utf8_lossy(item).into_owned();
            let page: Vec<_> = page.iter().map(|(number, item)| (number, text(item))).collect();
            Ok(Answer::Json(serde_json::to_string(&page).unwrap_or_default()))
        })
    }

    /// Returns the name of the store: its folder as the system names it, or the address of its database.
    #[napi(catch_unwind, getter)]
    pub fn path(&self) -> String {
        self.lease.borrow().as_ref().map(Lease::name).unwrap_or_default()
    }

    /// Returns the notices of opening the store.
    #[napi(catch_unwind, getter)]
    pub fn notices(&self) -> Vec<NativeNotice> {
        let notice =
            |notice: &Notice| NativeNotice { code: notice.code.into(), text: notice.text.clone() };
        let lease = self.lease.borrow();
        lease.iter().flat_map(|lease| lease.notices()).map(notice).collect()
    }

    /// Removes every record and every list.
    #[napi(catch_unwind, ts_return_type = "Promise<void>")]
    pub fn wipe(&self, env: Env) -> Result<Reply> {
        self.begin_change(env, |store, resolver| {
            store.wipe(Box::new(|result| resolver.settle(result.map(|()| Answer::Undefined))));
        })
    }
}
