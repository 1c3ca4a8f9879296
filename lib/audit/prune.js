// Removes entries that are too old from the audit.
const { now } = require('../host.js')
const { changeRecords } = require('./change-records.js')
const { endsThatFind } = require('./ends.js')
const { HEAD, entryName } = require('./names.js')
const { firstBefore, numbersFrom } = require('./read.js')

// Entries that are removed in one change.
const BATCH = 128

module.exports = { prune }

// Removes the entries that are older than `age` in seconds, and before the number `below`. The hash of the last of them stays as the
// anchor of the chain.
async function prune (store, age, below = Infinity) {
  const last = Math.min(await firstBefore(store, now() - age), below - 1)
  let removed = 0
  for (let count; count !== 0; removed += count) {
    count = await changeRecords(store, (read) => pruneBatch(read, last)) || 0
  }
  return removed
}

async function pruneBatch (read, last) {
  const [headText] = await read([HEAD])
  if (headText === undefined) {
    return
  }
  const head = JSON.parse(headText)
  const to = Math.min(last, head.first + BATCH - 1)
  const names = numbersFrom(head.first, to).map(entryName)
  const entries = (await read(names)).filter((text) => text !== undefined).map((text) => JSON.parse(text))
  // The last one may be missing, and so may those after it; then they are left to the next change.
  const anchor = entries[entries.length - 1]
  if (!anchor) {
    return
  }
  const records = new Map([...names, ...await endsThatFind(read, entries)].map((name) => [name, '']))
  records.set(HEAD, JSON.stringify({ ...head, first: anchor.number + 1, anchor: anchor.hash }))
  return { records, result: entries.length }
}
