// Entries as callers see them, and as files.
const { positionOf } = require('./position.js')

module.exports = { entryView, toCsv, toEvent }

// Without the salt, which is there only for the chain.
function entryView ({ number, time, cause, appid, details, hash }) {
  const { salt, by, ...told } = details || { erased: true }
  const { salt: saltOfActor, digest, ...who } = by || {}
  return { object: 'audit-entry', number, time, cause, appid, ...told, ...who, hash }
}

// The words of OpenID CAEP (session-revoked) for who began it. None of them is for somebody who was erased.
const INITIATORS = { administrator: 'admin', user: 'user', visitor: 'user', policy: 'policy', 'command-line': 'admin', system: 'system' }

// Returns an entry as an event of CAEP.
function toEvent (entry) {
  return {
    event: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
    initiating_entity: INITIATORS[entry.actor?.type],
    event_timestamp: entry.time,
    reason_admin: entry.reason || entry.cause,
    reason_user: entry.cause,
    position: positionOf(entry),
    ...entry
  }
}

// New columns are at the end, because programs may count them.
const COLUMNS = ['number', 'time', 'cause', 'accountid', 'sessionid', 'actor', 'actorid', 'address', 'agent', 'reason', 'hash', 'sessionKeyNumber', 'before']

// Returns lines of comma-separated values, with a line of names first if `first`.
function toCsv (entries, first) {
  const rows = entries.map((entry) => {
    const { actor, time, before } = entry
    const row = { ...entry, actor: actor?.type, actorid: actor?.accountid || actor?.user, time: isoTime(time), before: isoTime(before) }
    return COLUMNS.map((column) => cell(row[column])).join()
  })
  return [...(first ? [COLUMNS.join()] : []), ...rows].map((row) => `${row}\r\n`).join('')
}

function isoTime (time) {
  return time === undefined ? undefined : new Date(time * 1000).toISOString()
}

// A text that a spreadsheet would compute begins with an apostrophe.
function cell (value) {
  const text = value === undefined || value === null ? '' : String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
