// The records that this package keeps beside Dashboard's, all below `dashboard-sled/`. src/record/keys.rs has the names of new
// entries. Ids are hashed: an id may be any text, and an erased account leaves nothing behind.
const { createHash } = require('crypto')
const { HEAD } = require('../own-records.js')

// A name without a record, for a change that depends on none.
const NEVER = 'dashboard-sled/never'

module.exports = { HEAD, NEVER, accountChain, actorChain, chainsOf, entryName, endNames, hashed, resetName, sessionEndName }

function entryName (number) {
  return `dashboard-sled/entry/${number.toString(16).padStart(16, '0')}`
}

// Returns a name below `folder` that is made of texts.
function hashed (folder, ...texts) {
  return `dashboard-sled/${folder}/${createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 40)}`
}

function accountChain (appid, accountid) {
  return hashed('last', appid, 'account', accountid)
}

// Accounts and types of actors are apart: an id may be any text.
function actorChain (appid, { accountid, type = '' } = {}) {
  return accountid ? hashed('last', appid, 'actor', 'account', accountid) : hashed('last', appid, 'actor', 'type', type)
}

// Returns the names of the records with the number of the last entry of the same application, account, actor and cause. An entry of
// which something was erased is not found by that.
function chainsOf ({ appid, cause, details }) {
  const { accountid, by } = details || {}
  return {
    application: hashed('last', appid, 'application'),
    account: accountid && accountChain(appid, accountid),
    actor: by && by.digest === undefined ? actorChain(appid, by.actor) : undefined,
    cause: hashed('last', appid, 'cause', cause)
  }
}

function sessionEndName (appid, sessionid) {
  return hashed('end', appid, 'session', sessionid)
}

function resetName (appid, accountid, number) {
  return hashed('end', appid, 'reset', accountid, number)
}

// Returns the names of the records by which an end finds its entry.
function endNames ({ appid, details }) {
  const { accountid, sessionid, sessionKeyNumber } = details || {}
  if (sessionid) {
    return [sessionEndName(appid, sessionid)]
  }
  return sessionKeyNumber === undefined ? [] : [resetName(appid, accountid, sessionKeyNumber)]
}
