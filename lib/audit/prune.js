// Removes entries that are too old from the audit.
const { now } = require('../host.js')
const { readEntries, readHead, firstBefore } = require('./read.js')
const { readTexts } = require('./read-texts.js')
const { HEAD, endNames, entryName } = require('./names.js')
const { replaced } = require('./write-texts.js')

// Entries that are removed in one change.
const BATCH = 128

module.exports = { prune }

// Removes the entries that are older than `age` in seconds, and before the number `below`. The hash of the last of them stays as the
// anchor of the chain.
async function prune (store, age, below = Infinity) {
  const last = Math.min(await firstBefore(store, now() - age), below - 1)
  let removed = 0
  for (;;) {
    const head = await readHead(store)
    const to = Math.min(last, head.first + BATCH - 1)
    if (to < head.first) {
      return removed
    }
    const entries = await readEntries(store, head.first, to)
    const anchor = entries.find(({ number }) => number === to)
    if (!anchor) {
      return removed
    }
    const names = [...entries.map(({ number }) => entryName(number)), ...await namesThatLeadTo(store, entries)]
    const [headText] = await readTexts(store, [HEAD])
    if (headText !== JSON.stringify(head)) {
      continue
    }
    const changed = JSON.stringify({ ...head, first: to + 1, anchor: anchor.hash })
    const done = await replaced(store, HEAD, headText, [HEAD, ...names], [changed, ...names.map(() => '')])
    removed += done ? entries.length : 0
  }
}

// Returns the names of the records by which ends find these entries. A session that ended once more leads to a later one.
async function namesThatLeadTo (store, entries) {
  const pairs = entries.filter(({ details }) => details).flatMap((entry) => endNames(entry).map((name) => [name, entry.number]))
  const texts = await readTexts(store, pairs.map(([name]) => name))
  return pairs.filter(([, number], index) => Number(texts[index]) === number).map(([name]) => name)
}
