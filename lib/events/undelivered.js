// What the webhook could not deliver: shown, and tried again.
const { entryView, toEvent } = require('../audit/view.js')
const { readEntry } = require('../audit/read.js')
const { invalid } = require('../errors.js')
const { readFlag, value } = require('../sessions/arguments.js')
const { againKey, readState, readUndelivered, removeUndelivered, write } = require('./webhook-state.js')

// Attempts to change the record while the webhook writes it.
const MOST_ATTEMPTS = 20

module.exports = { retry, undelivered }

// Returns a page, the newest events first.
async function undelivered ({ store }, req) {
  const { state } = await readState(store, requireApplication(req))
  if (!state) {
    return { count: 0, events: [] }
  }
  const { events, cursor } = await readUndelivered(store, req.appid, state.undelivered, readNumber(req, 'cursor'))
  return {
    count: state.undelivered.count,
    events: await Promise.all(events.map(async ({ number, attempts, time, reason }) => {
      const entry = await readEntry(store, number)
      return { object: 'undelivered-event', number, attempts, time, reason, event: entry && entry.appid === req.appid ? toEvent(entryView(entry)) : null }
    })),
    cursor: cursor === undefined ? undefined : String(cursor)
  }
}

// Tries one event again, or with `all` as many as one record has. Their order among later events is lost already.
async function retry (module, req) {
  const { store } = module
  const appid = requireApplication(req)
  const number = readNumber(req, 'number')
  if ((number !== undefined) === readFlag(req, 'all')) {
    throw invalid('invalid-number', 'give either the number of an event, or all')
  }
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const { text, state } = await readState(store, appid)
    const found = state && await find(store, appid, state.undelivered, number)
    if (!found) {
      if (number !== undefined) {
        throw invalid('invalid-number')
      }
      return { retried: 0, left: 0 }
    }
    const { undelivered, records } = await removeUndelivered(store, appid, state.undelivered, found.chunk, found.numbers)
    const lanes = [...state.lanes, ...found.numbers.map((number) => [againKey(number), number, number, 0, 0, 0])]
    try {
      await write(store, appid, text, { ...state, undelivered, lanes }, records)
      module.webhooks?.checkRecord()
      return { retried: found.numbers.length, left: undelivered.count }
    } catch (error) {
      if (error.message !== 'record-changed') {
        throw error
      }
    }
  }
  throw invalid('record-changed', 'the webhook delivers at the moment; try again')
}

async function find (store, appid, undelivered, number) {
  let cursor
  do {
    const page = await readUndelivered(store, appid, undelivered, cursor)
    const numbers = page.events.map((event) => event.number)
    if (numbers.length && number === undefined) {
      return { chunk: page.chunk, numbers }
    }
    if (numbers.includes(number)) {
      return { chunk: page.chunk, numbers: [number] }
    }
    cursor = page.cursor
  } while (cursor !== undefined)
}

function requireApplication ({ appid }) {
  if (typeof appid !== 'string' || !appid) {
    throw invalid('invalid-appid')
  }
  return appid
}

function readNumber (req, name) {
  const found = value(req, name)
  if (found === undefined) {
    return
  }
  const number = typeof found === 'string' && /^\d{1,15}$/.test(found) ? Number(found) : found
  if (!Number.isSafeInteger(number) || number < 1) {
    throw invalid(`invalid-${name}`)
  }
  return number
}
