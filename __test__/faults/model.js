// The contents of a store in the fault tests: accounts with sessions, records and lists. Everything follows from how
// often each one was changed, so that a state is a few numbers, and any wrong byte is seen.
const crypto = require('crypto')

const APPID = 'dashboard'
// Sessions that each account has from its beginning, by their sessionKeyNumber: a reset beyond it ends one.
const SESSIONS = [1, 3, 12]
const kinds = ['accounts', 'records', 'lists']

module.exports = { APPID, SESSIONS, account, accountKey, contents, copy, empty, fill, kinds, note, recordKey, session, sessionKey }

// How often each account, record and list was changed; 0 where it may be missing.
function empty (sizes) {
  return Object.fromEntries(kinds.map((kind) => [kind, new Array(sizes[kind]).fill(0)]))
}

function copy (state) {
  return Object.fromEntries(kinds.map((kind) => [kind, state[kind].slice()]))
}

// A line of acknowledgements is `<kind> <index> <number>`.
function note (state, line) {
  const [kind, index, number] = line.split(' ')
  if (kinds.includes(kind)) {
    state[kind][index] = Math.max(state[kind][index], Number(number))
  }
}

function accountKey (i) {
  return `${APPID}/account/account_${i}`
}

function sessionKey (i, number) {
  return `${APPID}/session/session_${i}_${number}`
}

function recordKey (i) {
  return `${APPID}/record/${i}`
}

function account (i) {
  return { object: 'account', accountid: `account_${i}`, created: 1, profile: fill(`account ${i}`, 200), sessionKey: 'first', sessionKeyNumber: 1 }
}

function session (i, number) {
  return { object: 'session', sessionid: `session_${i}_${number}`, accountid: `account_${i}`, created: 1, expires: 4e9, sessionKeyNumber: number, tokenHash: fill(`token ${i}`, 60) }
}

// A record after `number` writes; up to 20 KB, so that some are stored in chunks.
function contents (i, number) {
  const sizes = [300, 1500, 6000, 20000]
  return `${number}:${fill(`record ${i} ${number}`, sizes[(i + number) % sizes.length])}`
}

// Text that nothing else has, and that does not compress.
function fill (name, length) {
  let text = ''
  for (let i = 0; text.length < length; i++) {
    text += crypto.createHash('sha512').update(`${name} ${i}`).digest('base64')
  }
  return text.substring(0, length)
}
