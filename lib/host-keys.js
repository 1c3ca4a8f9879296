// Dashboard's keys of accounts and sessions: `<appid>/account/<id>` and `<appid>/session/<id>`. src/record/keys.rs reads the
// same keys in the store.

// A key is read from its end. With one of these words elsewhere it could be the key of another application: the session
// `a/session/b` of the application `c` has the same key as the session `b` of the application `c/session/a`.
const WORD_IN_APPID = /\/(account|session)(\/|$)/
const WORD_IN_ID = /(^|\/)(account|session)\//
const RECORD = /\/(account|session)\/[^/]+$/
const ACCOUNT = /\/account\/[^/]+$/

module.exports = { isAccountKey, isRecordKey, isUnambiguous, recordKey }

// Returns the key of a record; `kind` is account or session.
function recordKey (appid, kind, id) {
  return `${appid}/${kind}/${id}`
}

// Returns whether a key may be that of an account or a session.
function isRecordKey (key) {
  return RECORD.test(key)
}

function isAccountKey (key) {
  return ACCOUNT.test(key)
}

// Returns whether the key of this id can only belong to this application.
function isUnambiguous (appid, id) {
  return typeof appid === 'string' && !WORD_IN_APPID.test(appid) && !WORD_IN_ID.test(id)
}
