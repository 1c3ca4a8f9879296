// Reading the audit: one entry, and entries newest first. An entry has the numbers of those before it with the same application,
// account, actor or cause, so a page takes the same time however many entries there are.
const { invalid } = require('../errors.js')
const { readTexts } = require('./read-texts.js')
const { EMPTY } = require('./chain.js')
const { HEAD, chainsOf, entryName } = require('./names.js')

// Entries that are read at once: those of one application mostly follow each other.
const AHEAD = 32
// Types of actors. Those of accounts are chained by the account alone, and those that were erased not at all.
const TYPES = ['visitor', 'policy', 'command-line', 'system']
const TYPES_WITHOUT_CHAIN = ['administrator', 'user', 'erased']
// Largest number of entries that one page looks at: a filter may fit few of them. The next page goes on from there.
const MOST_LOOKED_AT = 5000

module.exports = { before, firstBefore, list, numbersFrom, parseCursor, parseHead, printCursor, readEntries, readEntry, readHead }

async function readHead (store) {
  const [text] = await readTexts(store, [HEAD])
  return parseHead(text)
}

function parseHead (text) {
  return text === undefined ? EMPTY : JSON.parse(text)
}

// Returns an entry, undefined if it was pruned.
async function readEntry (store, number) {
  const [entry] = await readEntries(store, number, number)
  return entry
}

// Returns all whole numbers from one to another.
function numbersFrom (from, to) {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}

// Returns the entries from one number to another, without those that were pruned.
async function readEntries (store, from, to) {
  const texts = await readTexts(store, numbersFrom(from, to).map(entryName))
  return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text))
}

// Returns a page of the entries of an application that fit `filter`, newest first, the cursor of the next page, and the number of
// entries that are missing though they were not pruned. A missing entry does not say which one was before it in its chain, so
// the page goes on by number from there.
async function list (store, appid, filter, cursor, limit) {
  let { kind, number, head } = cursor ? { kind: cursor[0], number: cursor[1], head: await readHead(store) } : await start(store, appid, filter)
  const entryAt = reader(store)
  const entries = []
  let missing = 0
  // A cursor that was made up may be after the end. So may a chain that an import brought.
  let next = number > head.number ? 0 : number
  for (let looked = 0; next && entries.length < limit && looked < MOST_LOOKED_AT; looked++) {
    const entry = await entryAt(next)
    const isOwn = entry?.appid === appid
    // Only by number there are entries of others.
    const isOver = entry ? (!isOwn && kind !== 'number') || entry.time < filter.since : await isPruned(store, next)
    if (isOver) {
      next = 0
    } else if (!entry) {
      missing++
      kind = 'number'
      next--
    } else {
      if (isOwn && fits(entry, filter)) {
        entries.push(entry)
      }
      next = before(entry, kind)
    }
  }
  return { entries, cursor: next ? [kind, next] : undefined, missing }
}

// Returns a function that reads an entry, for numbers that become smaller.
function reader (store) {
  const ahead = new Map()
  let from = Infinity
  return async (number) => {
    if (number < from) {
      from = Math.max(1, number - AHEAD + 1)
      for (const entry of await readEntries(store, from, number)) {
        ahead.set(entry.number, entry)
      }
    }
    return ahead.get(number)
  }
}

// Returns whether an entry that was not found was pruned. The head is read after the entry, because it may have been pruned since the
// page began; together with it, because in a database an older head could be in memory.
async function isPruned (store, number) {
  const [, headText] = await readTexts(store, [entryName(number), HEAD])
  return number < parseHead(headText).first
}

function fits ({ cause, details, time }, filter) {
  return (filter.accountid === undefined || details?.accountid === filter.accountid) &&
    (filter.actor === undefined || [details?.by?.actor?.accountid, details?.by?.actor?.type].includes(filter.actor)) &&
    (filter.cause === undefined || cause === filter.cause) &&
    (filter.until === undefined || time <= filter.until)
}

// Returns the number of the entry before in a chain or by number, or 0. A chain that did not lead back would never end.
function before (entry, kind) {
  const number = kind === 'number' ? entry.number - 1 : entry.previous[kind]
  return number < entry.number ? number : 0
}

// Returns the chain to follow, the shortest one first, the number of its newest entry, and the head. They are read together: in a
// database an older head could be in memory.
async function start (store, appid, { accountid, actor, cause, until }) {
  const details = { accountid, by: { actor: TYPES.includes(actor) ? { type: actor } : { accountid: actor } } }
  const chains = chainsOf({ appid, cause, details })
  const hasChain = actor !== undefined && !TYPES_WITHOUT_CHAIN.includes(actor)
  const kind = accountid !== undefined ? 'account' : hasChain ? 'actor' : cause !== undefined ? 'cause' : 'application'
  const [text, headText] = await readTexts(store, [chains[kind], HEAD])
  const last = Number(text || 0)
  const head = parseHead(headText)
  if (kind !== 'application' || until === undefined) {
    return { kind, number: last, head }
  }
  // The last entry of the application that is not after `until`: of all applications, and from there to this one.
  let number = await firstBefore(store, until)
  for (let looked = 0; number && looked < MOST_LOOKED_AT; looked++, number--) {
    const entry = await readEntry(store, number)
    if (!entry || entry.appid === appid) {
      break
    }
  }
  return { kind, number: Math.min(last, number), head }
}

// Returns the number of the last entry that is not after `time`, or 0. A missing entry has no time, so the one before it counts.
async function firstBefore (store, time) {
  const head = await readHead(store)
  let [low, high] = [head.first - 1, head.number]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const entry = await lastBetween(store, low + 1, middle)
    if (entry && entry.time > time) {
      high = entry.number - 1
    } else {
      low = middle
    }
  }
  return low < head.first ? 0 : low
}

// Returns the last entry from one number to another that is not missing.
async function lastBetween (store, from, to) {
  for (let number = to; number >= from; number--) {
    const entry = await readEntry(store, number)
    if (entry) {
      return entry
    }
  }
}

// Returns a cursor as text, for requests.
function printCursor (cursor) {
  return cursor && cursor.join('-')
}

function parseCursor (text) {
  const [, kind, number] = /^(account|actor|cause|application|number)-([1-9]\d{0,14})$/.exec(text) || []
  if (!kind) {
    throw invalid('invalid-cursor')
  }
  return [kind, Number(number)]
}
