// Entries of the audit as people read them.
const { deviceName } = require('./device.js')
const { moment } = require('./times.js')

const CAUSES = {
  'signed-out': 'Signed out',
  'ended-by-user': 'Ended by the user',
  'ended-by-administrator': 'Ended by an administrator',
  'session-key-reset': 'Session key reset',
  'password-changed': 'Password changed',
  'account-deleted': 'Account deleted',
  expired: 'Expired',
  idle: 'Not used for too long',
  limit: 'Too many sessions',
  restore: 'A backup was restored',
  'application-wide': 'All sessions ended',
  unreadable: 'Not readable',
  unknown: 'Not recorded'
}
const ACTORS = { administrator: 'Administrator', user: 'User', visitor: 'Visitor with a code', policy: 'Policy', system: 'System', 'command-line': 'Command line', erased: 'Erased' }

module.exports = { CAUSES, describeEnd, describeEntry, describeMissing }

// Returns an entry as its row shows it.
function describeEntry (entry) {
  const { number, time, accountid, sessionid, before, address, agent, reason, erased } = entry
  return {
    number,
    time: moment(time),
    cause: causeText(entry),
    accountid,
    scope: sessionid || (before !== undefined ? `All that began before ${moment(before)}` : accountid ? 'All sessions of the account' : ''),
    actor: erased ? 'Erased' : actorText(entry),
    reason,
    address,
    agent,
    device: agent && deviceName(agent)
  }
}

// Returns the end of a session that `SessionEnd.get` explains.
function describeEnd (end) {
  return {
    time: end.ended === undefined ? 'unknown' : moment(end.ended),
    cause: causeText(end),
    actor: end.actor && actorText(end),
    reason: end.reason
  }
}

function causeText ({ cause }) {
  return CAUSES[cause] || cause
}

function actorText ({ actor, accountid }) {
  const { type, accountid: by, user } = actor || {}
  if (type === 'user' && by === accountid) {
    return 'The user'
  }
  return [ACTORS[type] || type || 'Unknown', by || user].filter(Boolean).join(' ')
}

// Returns a sentence about entries that are missing in a list though they were not pruned.
function describeMissing (number) {
  return `${number === 1 ? '1 entry is' : `${number} entries are`} missing in this list, because the store is damaged. Run: npx dashboard-sled audit verify`
}
