// The accounts and sessions of the benchmark, as Dashboard writes them, made from their numbers.
const appid = 'dashboard'
const created = Math.floor(Date.now() / 1000)
const month = 30 * 24 * 3600
const sessionsOfAccount = 10
const password = 'a-password'

module.exports = { account, accountId, accountsFor, appid, bytesOfRecords, password, session, sessionId, username }

function accountsFor (sessions) {
  return Math.ceil(sessions / sessionsOfAccount)
}

function accountId (number) {
  return `account_${spread(number)}`
}

function sessionId (number) {
  return `session_${spread(number)}`
}

function username (number) {
  return `user-${number}`
}

function account (number, usernameHash) {
  return {
    object: 'account',
    accountid: accountId(number),
    usernameHash,
    // Sixty characters, as bcrypt makes them; the benchmark never compares it.
    passwordHash: '$2a$10$'.padEnd(60, spread(number)),
    sessionKey: spread(number).repeat(8),
    sessionKeyNumber: 1,
    created
  }
}

function session (number, accounts) {
  return {
    object: 'session',
    sessionid: sessionId(number),
    accountid: accountId(number % accounts),
    tokenHash: spread(number).repeat(16),
    created,
    expires: created + month,
    sessionKeyNumber: 1,
    lastVerified: created
  }
}

// Bytes of all keys and contents that are loaded.
function bytesOfRecords (sessions) {
  const accounts = accountsFor(sessions)
  const usernameHash = ''.padEnd(128)
  const ofSession = bytes(`session/${sessionId(0)}`, session(0, accounts))
  const ofAccount = bytes(`account/${accountId(0)}`, account(0, usernameHash)) + `${appid}/map/usernames/${usernameHash}${accountId(0)}`.length
  return sessions * ofSession + accounts * ofAccount
}

function bytes (name, record) {
  return `${appid}/${name}${JSON.stringify(record)}`.length
}

// Eight hexadecimal digits, as long as Dashboard's own ids: another one for each number below 2^32, far from those of
// its neighbours (the last step of MurmurHash3, which can be undone).
function spread (number) {
  let mixed = number >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, '0')
}
