// Ends of sessions and resets as an async iterator, in the order of the audit. A consumer can go on from a position after a restart,
// because the number and the hash of an entry stay the same for as long as the store exists.
const { setMaxListeners } = require('events')
const { requireOptions, requireText } = require('../arguments.js')
const { isAt, positionOf, readPosition } = require('../audit/position.js')
const { readEntries, readEntry, readHead } = require('../audit/read.js')
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
  const from = readPosition(after)
  if (after !== undefined && !from) {
    throw invalid('invalid-position', 'after is the position of an event or its number, or 0 for the first one')
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw invalid('invalid-signal', 'signal is that of an AbortController')
  }
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const signals = [module.closing, signal].filter(Boolean)
  const end = () => {
    ending.abort()
    signals.forEach((one) => one.removeEventListener('abort', end))
  }
  signals.forEach((one) => one.aborted ? end() : one.addEventListener('abort', end))
  const events = follow(module, from, appid, ending.signal, end)
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

// Of any implementation.
function isSignal (value) {
  return typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function' && typeof value.removeEventListener === 'function'
}

async function * follow (module, from, appid, signal, end) {
  module.watchers++
  try {
    yield * entriesAfter(module, from, appid, signal)
  } catch (error) {
    if (error.code !== 'ERR_STORE_CLOSED') {
      throw error
    }
  } finally {
    module.watchers--
    end()
  }
}

async function * entriesAfter ({ ledger, store }, from, appid, signal) {
  if (signal.aborted) {
    return
  }
  await ledger.append()
  let position = from ? from.number : (await readHead(store)).number
  if (from?.hash !== undefined) {
    await requireEntry(store, from)
  }
  while (!signal.aborted) {
    const head = await readHead(store)
    if (position > head.number) {
      throw replaced(`the position ${position} is after the last entry, ${head.number}`)
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
      throw missing(position + 1)
    }
  }
}

// Fails unless the entry of a position is the one that the consumer has seen. Where it was pruned, the anchor is known of the last one
// alone.
async function requireEntry (store, position) {
  const { number } = position
  const last = (await readHead(store)).number
  const entry = await readEntry(store, number)
  // Once more: the entry may have been pruned.
  const { first, anchor } = await readHead(store)
  if (number > last || number + 1 < first) {
    return
  }
  if (number >= first && !entry) {
    throw missing(number)
  }
  if (!isAt(position, number < first ? anchor : entry.hash)) {
    throw replaced(`entry ${number} is not the one of the position`)
  }
}

function replaced (what) {
  return invalid('invalid-position', `${what}: the store was restored from a backup, or it is another one. Go on without after, and compare your data with Sessions.list`)
}

function missing (number) {
  return failure('store-damaged', 'ERR_STORE_DAMAGED', `entry ${number} of the audit is missing; Audit.verify() says more`)
}

function pruned (position, { first, anchor }) {
  return failure('position-pruned', 'ERR_POSITION_PRUNED',
    `the entries after the position ${position} are older than SLED_AUDIT_KEEP and were removed; the oldest one that is kept is ${first}, so go on with after: '${positionOf({ number: first - 1, hash: anchor })}'`)
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
