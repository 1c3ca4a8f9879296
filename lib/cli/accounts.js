// The accounts whose sessions would be ended, for --dry-run.
const { decrypt, secrets } = require('../host.js')
const { failure } = require('./failure.js')
const { looksEncrypted } = require('./encrypted.js')

module.exports = { countAccounts }

// How many there are. It fails as the end of all sessions would.
async function countAccounts (store) {
  let accounts = 0
  let unreadable = 0
  for await (const { record, contents } of store.entries({ onDamage: () => {} })) {
    if (record === undefined) {
      break
    }
    if (/^[^/]+\/account\/[^/]+$/.test(record)) {
      const text = contents.toString()
      if (isAccount(text) || isAccount(decrypt(text, ...secrets()))) {
        accounts++
      } else if (looksEncrypted(text)) {
        unreadable++
      }
    }
  }
  if (unreadable) {
    throw failure('accounts-unreadable', 'ERR_ACCOUNTS_UNREADABLE', `${unreadable} accounts could not be read, so their sessions would live on; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them, and try again`)
  }
  return accounts
}

function isAccount (text) {
  try {
    return JSON.parse(text).object === 'account'
  } catch (error) {
    return false
  }
}
