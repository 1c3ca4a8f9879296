// The records of a webhook in the store: one with its position, the lanes that wait, and the process that delivers; and those of the
// events that could not be delivered, which have only the numbers of entries. All of it changes together, if the first record is
// still as it was read.
const { hostSecret } = require('../host.js')
const { hashed } = require('../audit/names.js')
const { readTexts } = require('../audit/read-texts.js')

// Events in one record.
const CHUNK = 100

// Numbers of the first and the last record of events, and the number of events in all of them.
const NONE_UNDELIVERED = { first: 1, last: 0, count: 0 }

module.exports = { NONE_UNDELIVERED, addUndelivered, againKey, isAgain, readState, readUndelivered, removeUndelivered, write }

// Returns the key of the lane in which an event is tried again by itself.
function againKey (number) {
  return `#${number}`
}

function isAgain (key) {
  return key.startsWith('#')
}

function stateName (appid) {
  return hashed('webhook', appid)
}

function chunkName (appid, chunk) {
  return hashed('undelivered', appid, chunk)
}

// Returns the record as text, and as an object if it exists.
async function readState (store, appid) {
  const [text] = await readTexts(store, [stateName(appid)])
  return { text, state: text === undefined ? undefined : JSON.parse(text) }
}

// Writes the record and others beside it. The error is `record-changed` if the record does not have the text `expected`.
async function write (store, appid, expected, state, others = new Map()) {
  const text = JSON.stringify(state)
  const name = stateName(appid)
  await store.replace([name], [expected], [name, ...others.keys()], [text, ...others.values()], hostSecret())
  return text
}

// Returns the changed `undelivered` of the state, and the records to write with it.
async function addUndelivered (store, appid, undelivered, events) {
  const { last, count } = undelivered
  const before = last ? await readChunk(store, appid, last) : []
  const known = new Set(before.map(({ number }) => number))
  const added = events.filter(({ number }) => !known.has(number))
  const all = [...before, ...added]
  const from = Math.max(1, last)
  const records = new Map()
  for (let index = 0; index < all.length; index += CHUNK) {
    records.set(chunkName(appid, from + index / CHUNK), JSON.stringify(all.slice(index, index + CHUNK)))
  }
  return { undelivered: { ...undelivered, last: Math.max(last, from + records.size - 1), count: count + added.length }, records }
}

// Returns at most one record of events, the newest first, and the cursor of the next one.
async function readUndelivered (store, appid, { first, last }, cursor = last) {
  for (let chunk = Math.min(cursor, last); chunk >= first; chunk--) {
    const events = await readChunk(store, appid, chunk)
    if (events.length) {
      return { chunk, events: events.reverse(), cursor: chunk > first ? chunk - 1 : undefined }
    }
  }
  return { events: [] }
}

// Returns the same without the events `numbers` of one record.
async function removeUndelivered (store, appid, undelivered, chunk, numbers) {
  const before = await readChunk(store, appid, chunk)
  const left = before.filter(({ number }) => !numbers.includes(number))
  const first = chunk === undelivered.first && !left.length && chunk < undelivered.last ? chunk + 1 : undelivered.first
  return {
    undelivered: { ...undelivered, first, count: undelivered.count - (before.length - left.length) },
    records: new Map([[chunkName(appid, chunk), left.length ? JSON.stringify(left) : '']])
  }
}

async function readChunk (store, appid, chunk) {
  const [text] = await readTexts(store, [chunkName(appid, chunk)])
  return text === undefined ? [] : JSON.parse(text)
}
