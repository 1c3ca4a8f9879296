// Removes from the audit entries that are too old, and everything that entries tell of an account.
const { leaveChanged } = require('../errors.js')
const { hostSecret, now } = require('../host.js')
const { before, readEntries, readEntry, readHead, firstBefore } = require('./read.js')
const { readTexts } = require('./read-texts.js')
const { HEAD, accountChain, endNames, entryName } = require('./names.js')

// Entries that are removed in one change.
const BATCH = 128

module.exports = { erase, prune }

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
    const names = entries.flatMap((entry) => [entryName(entry.number), ...(entry.details ? endNames(entry) : [])])
    const [headText] = await readTexts(store, [HEAD])
    if (headText !== JSON.stringify(head)) {
      continue
    }
    const changed = JSON.stringify({ ...head, first: to + 1, anchor: anchor.hash })
    const done = await replaced(store, HEAD, headText, [HEAD, ...names], [changed, ...names.map(() => '')])
    removed += done ? entries.length : 0
  }
}

// Removes what the entries about an account tell of it. Their places in the chain stay, so it still holds.
async function erase (store, appid, accountid) {
  const chain = accountChain(appid, accountid)
  const [text] = await readTexts(store, [chain])
  let erased = 0
  let number = Number(text || 0)
  while (number) {
    const entry = await readEntry(store, number)
    if (!entry) {
      break
    }
    if (entry.details) {
      const changed = JSON.stringify({ ...entry, details: null })
      const names = endNames(entry)
      const isErased = await replaced(store, entryName(number), JSON.stringify(entry), [entryName(number), ...names], [changed, ...names.map(() => '')])
      erased += isErased ? 1 : 0
    }
    number = before(entry, 'account')
  }
  await replaced(store, chain, text, [chain], [''])
  return erased
}

// Returns false if the guard has changed meanwhile.
async function replaced (store, guard, expected, files, texts) {
  try {
    await store.replace(guard, expected, files, texts, hostSecret())
    return true
  } catch (error) {
    leaveChanged(error)
    return false
  }
}
