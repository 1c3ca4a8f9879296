// Events that the webhook could not deliver: shown, and tried again.
const { entryView, toEvent } = require('../audit/view.js')
const { readEntry } = require('../audit/read.js')
const { failure, invalid } = require('../errors.js')
const { againKey, readState, readUndelivered, removeUndelivered, write } = require('./webhook-state.js')

// Attempts to change the record while the webhook writes it.
const MOST_ATTEMPTS = 20

module.exports = { retry, undelivered }

// Returns a page, the newest events first. Others may have the number of an entry as well, so its application is compared.
async function undelivered ({ store }, appid, from) {
  const { state } = await readState(store, appid)
  if (!state) {
    return { count: 0, events: [] }
  }
  const { events, cursor } = await readUndelivered(store, appid, state.undelivered, from)
  return {
    count: state.undelivered.count,
    events: await Promise.all(events.map(async ({ number, attempts, time, reason }) => {
      const entry = await readEntry(store, number)
      return { object: 'undelivered-event', number, attempts, time, reason, event: entry?.appid === appid ? toEvent(entryView(entry)) : null }
    })),
    cursor: cursor === undefined ? undefined : String(cursor)
  }
}

// Tries one event again, or without a number as many as one record has. Their order among later events is lost already.
async function retry ({ store, webhooks }, appid, number) {
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
      webhooks?.checkRecord()
      return { retried: found.numbers.length, left: undelivered.count }
    } catch (error) {
      if (error.message !== 'record-changed') {
        throw error
      }
    }
  }
  throw failure('store-busy', 'ERR_STORE_BUSY', 'the webhook writes its record all the time; try again')
}

// Returns the record that has the event, or the newest one of all.
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
