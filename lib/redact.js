// Redacts a record for people: only values that are known not to be secret are shown.

const REDACTED = '(redacted)'
// Properties that Dashboard writes and that are not secret.
const SHOWN = new Set([
  'object', 'accountid', 'sessionid', 'profileid', 'codeid', 'appid',
  'created', 'expires', 'ended', 'deleted', 'administrator', 'owner',
  'lastSignedIn', 'lastVerified', 'passwordLastChanged', 'profileLastDeleted', 'resetCodeLastCreated',
  'resetCodeLastDeleted', 'resetCodeLastUsed', 'sessionKeyLastReset', 'sessionKeyNumber', 'usernameLastChanged',
  'firstName', 'lastName', 'contactEmail', 'displayEmail', 'displayName', 'dob', 'phone', 'occupation', 'location',
  'companyName', 'website'
])
// Ids that Dashboard makes. They name a record and give access to nothing.
const ID = /^(account|code|profile|session)_[0-9a-z_-]{1,64}$/i

module.exports = { redact, redactText }

function redact (value) {
  if (Array.isArray(value)) {
    return value.map(redact)
  }
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, property]) => [name, redactProperty(name, property)]))
  }
  return redactText(String(value))
}

function redactProperty (name, value) {
  return SHOWN.has(name) && (value === null || typeof value !== 'object') ? value : REDACTED
}

function redactText (text) {
  return !text || ID.test(text) ? text : REDACTED
}
