// Checks the audit: that no entry was changed, removed or put in, and that every entry is found by what leads to it.
const { detailsDigest, isWithoutActor, link } = require('./chain.js')
const { chainsOf, endNames, entryName } = require('./names.js')
const { numbersFrom, readHead } = require('./read.js')
const { readTexts } = require('./read-texts.js')

// Entries that are read at once.
const BATCH = 32

module.exports = { verify }

// Returns the number of entries, and the first break as a sentence.
async function verify (store, progress = () => {}) {
  for (;;) {
    const head = await readHead(store)
    const found = await verifyFrom(store, head, progress)
    // Entries that were removed meanwhile because of their age are not a break.
    if (!found.break || (await readHead(store)).first === head.first) {
      return found
    }
  }
}

async function verifyFrom (store, head, progress) {
  const entries = head.number - head.first + 1
  let hash = head.anchor
  for (let from = head.first; from <= head.number; from += BATCH) {
    const to = Math.min(from + BATCH - 1, head.number)
    let found = await verifyBatch(store, from, to, hash)
    if (found.break) {
      // Details may be erased between two reads.
      found = await verifyBatch(store, from, to, hash)
    }
    if (found.break) {
      return { entries, ...found }
    }
    hash = found.hash
    progress(to)
  }
  const isWhole = hash === head.hash
  return { entries, break: isWhole ? null : 'the last entry is not the one that the head names', number: isWhole ? null : head.number }
}

// Returns the hash of the last entry, or the first break.
async function verifyBatch (store, from, to, hashBefore) {
  const numbers = numbersFrom(from, to)
  const entries = (await readTexts(store, numbers.map(entryName))).map(parseEntry)
  let hash = hashBefore
  for (const [index, number] of numbers.entries()) {
    const problem = breakAt(entries[index], number, hash)
    if (problem) {
      return { break: problem, number }
    }
    hash = entries[index].hash
  }
  const lost = await findLost(store, entries)
  return lost === undefined ? { hash } : { break: `a record that leads to entry ${lost} was changed or removed`, number: lost }
}

// Returns the number of the first of these entries that something does not lead to any more. It leads to the entry, or to a later one of
// the same account, actor, cause, application or session.
async function findLost (store, entries) {
  const pairs = entries.flatMap((entry) => namesThatLeadTo(entry).map((name) => [name, entry.number]))
  const names = [...new Set(pairs.map(([name]) => name))]
  const texts = await readTexts(store, names)
  const found = new Map(names.map((name, index) => [name, Number(texts[index])]))
  const numbers = [...new Set([...found.values()].filter((number) => Number.isSafeInteger(number) && number > 0))]
  const led = new Map((await readTexts(store, numbers.map(entryName))).map((text, index) => [numbers[index], parseEntry(text)]))
  const leads = (name, number) => {
    const entry = found.get(name) >= number && led.get(found.get(name))
    return entry && (isErased(entry) || namesThatLeadTo(entry).includes(name))
  }
  const [, lost] = pairs.find(([name, number]) => !leads(name, number)) || []
  return lost
}

// Returns undefined for what is not an entry.
function parseEntry (text) {
  try {
    const entry = JSON.parse(text)
    const { details, previous } = entry
    return previous && (!details || details.by) ? entry : undefined
  } catch (error) {
  }
}

// An erasure removes whatever leads to its entries, at its end.
function isErased ({ details }) {
  return !details || details.by.digest !== undefined
}

function namesThatLeadTo (entry) {
  return [...Object.values(chainsOf(entry)), ...endNames(entry)].filter(Boolean)
}

function breakAt (entry, number, hashBefore) {
  if (!entry || entry.number !== number) {
    return `entry ${number} is missing or cannot be read`
  }
  if (link(hashBefore, entry) !== entry.hash) {
    return `entry ${number} was changed, or one before it was put in or taken out`
  }
  const { details } = entry
  if (details && (detailsDigest(details) !== entry.digest || (details.by.digest !== undefined && !isWithoutActor(details)))) {
    return `the details of entry ${number} were changed`
  }
}
