// Ends of sessions and resets as an async iterator, in the order of the audit. A position is the number of an entry, which stays
// the same for as long as the store exists, therefore a consumer can go on from there after a restart.
const { setMaxListeners } = require('events')
const { requireOptions, requireText } = require('../arguments.js')
const { readEntries, readHead } = require('../audit/read.js')
const { entryView, toEvent } = require('../audit/view.js')
const { failure, invalid } = require('../errors.js')

// Entries in memory for each consumer, at most. The next ones are read when these have been taken.
const PAGE = 100
// Longest time until an entry that another process has added is seen, in milliseconds.
const EVERY_MS = 1000

module.exports = { watch }

// `module` is the active one: its store, its ledger, and a signal that is aborted when the store closes.
function watch (module, options = {}) {
  requireOptions(options, ['after', 'appid', 'signal'])
  const { after, appid = global.appid, signal } = options
  requireText(appid, 'invalid-appid')
  if (after !== undefined && !(Number.isSafeInteger(after) && after >= 0)) {
    throw invalid('invalid-position', 'after is the number of an entry, or 0 for the first one')
  }
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const signals = [module.closing, signal].filter(Boolean)
  const end = () => {
    ending.abort()
    signals.forEach((one) => one.removeEventListener('abort', end))
  }
  signals.forEach((one) => one.aborted ? end() : one.addEventListener('abort', end))
  const events = follow(module, after, appid, ending.signal, end)
  // A generator alone would let `return` wait until the next entry.
  return {
    next: () => events.next(),
    return: (value) => {
      end()
      return events.return(value)
    },
    [Symbol.asyncIterator] () {
      return this
    }
  }
}

async function * follow (module, after, appid, signal, end) {
  module.watchers++
  try {
    yield * entriesAfter(module, after, appid, signal)
  } catch (error) {
    if (error.code !== 'ERR_STORE_CLOSED') {
      throw error
    }
  } finally {
    module.watchers--
    end()
  }
}

async function * entriesAfter ({ ledger, store }, after, appid, signal) {
  if (signal.aborted) {
    return
  }
  await ledger.append()
  let position = after ?? (await readHead(store)).number
  while (!signal.aborted) {
    const head = await readHead(store)
    if (position > head.number) {
      throw invalid('invalid-position', `the position ${position} is after the last entry, ${head.number}: it is from another store, or this one was restored from a backup`)
    }
    if (position + 1 < head.first) {
      throw pruned(position, head)
    }
    if (position === head.number) {
      await nextEntry(ledger, position, signal)
      continue
    }
    const to = Math.min(head.number, position + PAGE)
    const entries = new Map((await readEntries(store, position + 1, to)).map((entry) => [entry.number, entry]))
    while (position < to) {
      const entry = entries.get(position + 1)
      if (!entry) {
        break
      }
      position++
      if (entry.appid === appid) {
        yield toEvent(entryView(entry))
        if (signal.aborted) {
          return
        }
      }
    }
    if (position < to && position + 1 >= (await readHead(store)).first) {
      throw failure('store-damaged', 'ERR_STORE_DAMAGED', `entry ${position + 1} of the audit is missing; Audit.verify() says more`)
    }
  }
}

function pruned (position, { first }) {
  return failure('position-pruned', 'ERR_POSITION_PRUNED',
    `the entries after the position ${position} are older than SLED_AUDIT_KEEP and were removed; the oldest one that is kept is ${first}, so go on with after: ${first - 1}`)
}

// Resolves when there may be an entry after `position`.
function nextEntry (ledger, position, signal) {
  return new Promise((resolve) => {
    const look = (number) => number > position && end()
    const timer = setTimeout(end, EVERY_MS)
    ledger.on('appended', look)
    signal.addEventListener('abort', end)
    function end () {
      clearTimeout(timer)
      ledger.off('appended', look)
      signal.removeEventListener('abort', end)
      resolve()
    }
  })
}
