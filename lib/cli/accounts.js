// Counts the accounts whose sessions a restore or a recovery would end, for --dry-run.
const { failure } = require('../errors.js')
const { isAccountKey } = require('../host-keys.js')
const { configuredSecret, decrypt, looksEncrypted } = require('../host.js')
const { countText } = require('./numbers.js')

module.exports = { countAccounts }

// Fails as the end of all sessions would. Damaged records are left out.
async function countAccounts (store) {
  let accounts = 0
  let unreadable = 0
  for await (const { record, contents } of store.entries({ onDamage: () => {} })) {
    // The lists follow the records.
    if (record === undefined) {
      break
    }
    if (isAccountKey(record)) {
      const text = contents.toString()
      if (isAccount(text) || isAccount(decrypt(text, configuredSecret()))) {
        accounts++
      } else if (looksEncrypted(text)) {
        unreadable++
      }
    }
  }
  if (unreadable) {
    throw failure('accounts-unreadable', 'ERR_ACCOUNTS_UNREADABLE', `${countText(unreadable, 'account could not be read, so its sessions', 'accounts could not be read, so their sessions')} would stay valid; set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them, and try again`)
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
