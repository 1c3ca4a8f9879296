// The chain of entries, as pure functions: each entry has the hash of the one before, so nothing can be changed, removed or put in
// between without breaking it. What tells of a person is in `details`, of which the hash covers only a salted digest: it can be
// erased, and the chain still holds. `details.by`, who did it, has a digest of its own, and can be erased alone.
const { createHash, randomBytes } = require('crypto')

// The head before the first entry.
const EMPTY = { number: 0, hash: '0'.repeat(64), time: 0, first: 1, anchor: '0'.repeat(64) }

module.exports = { EMPTY, detailsDigest, isWithoutActor, link, seal, unsealed, withoutActor }

// Returns a new entry from what the store wrote with the end: see src/record/ending.rs.
function unsealed ({ time, cause, appid, actor, address, agent, ...subject }) {
  const salt = () => randomBytes(16).toString('hex')
  // As JSON has it: without what is undefined.
  const by = JSON.parse(JSON.stringify({ actor, address, agent, salt: salt() }))
  return { time, cause, appid, details: { ...subject, by, salt: salt() } }
}

// Returns whether what tells of the actor is as `withoutActor` leaves it.
function isWithoutActor ({ by }) {
  return by.digest !== undefined && Object.keys(by).length === 2 && Object.keys(by.actor || {}).join() === 'type' && by.actor.type === 'erased'
}

// Returns the details of an entry without what they tell of the actor.
function withoutActor (details) {
  return { ...details, by: { actor: { type: 'erased' }, digest: digestOf(details.by) } }
}

// Returns the entry with its place in the chain, after `head`. Its time is never before the one of the entry before.
function seal (head, entry, previous) {
  const sealed = {
    number: head.number + 1,
    time: Math.max(head.time, entry.time),
    cause: entry.cause,
    appid: entry.appid,
    digest: detailsDigest(entry.details),
    previous
  }
  return { ...sealed, hash: link(head.hash, sealed), details: entry.details }
}

// Returns the hash of an entry, from that of the one before.
function link (hashBefore, { number, time, cause, appid, digest, previous }) {
  const { application, account, actor, cause: sameCause } = previous
  return sha256([hashBefore, number, time, cause, appid, digest, application, account, actor, sameCause])
}

function detailsDigest ({ by, ...subject }) {
  return digestOf({ ...subject, by: by.digest ?? digestOf(by) })
}

function digestOf (object) {
  return sha256(Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1))
}

function sha256 (value) {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
