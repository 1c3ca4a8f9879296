// Removes what the audit tells of an account. The places of entries in the chain stay, so it still holds.
const { withoutActor } = require('./chain.js')
const { changeRecords } = require('./change-records.js')
const { endsThatFind } = require('./ends.js')
const { HEAD, accountChain, actorChain, entryName } = require('./names.js')
const { before, parseHead } = require('./read.js')

// Entries that one change looks at.
const BATCH = 64

module.exports = { erase }

// Returns the number of entries from which something was removed: everything where the account's sessions ended, and who did it
// where that was the account.
async function erase (store, appid, accountid) {
  const about = await eraseChain(store, 'account', accountChain(appid, accountid), (entry) =>
    entry.appid === appid && entry.details?.accountid === accountid && { details: null })
  const by = await eraseChain(store, 'actor', actorChain(appid, { accountid }), (entry) =>
    entry.appid === appid && entry.details?.by?.actor?.accountid === accountid && { details: withoutActor(entry.details) })
  return about + by
}

// Changes all entries of a chain that `change` returns changes for, newest first, and removes what leads to the chain.
async function eraseChain (store, kind, chain, change) {
  let erased = 0
  let place
  do {
    const done = await changeRecords(store, (read) => eraseBatch(read, kind, chain, change, place))
    place = done?.place
    erased += done?.erased || 0
  } while (place)
  return erased
}

// `place` is where the batch before has ended: the next number, the kind of chain that leads on, and the newest number of the chain at that
// time. Behind a missing entry nothing leads on but the numbers.
async function eraseBatch (read, kindOfChain, chain, change, place) {
  const [text] = await read([chain])
  if (text === undefined) {
    return
  }
  const newest = Number(text)
  // If entries came meanwhile, from the beginning.
  let { number, kind } = place?.newest === newest ? place : { number: newest, kind: kindOfChain }
  let erased = 0
  const records = new Map()
  for (let looked = 0; number && looked < BATCH; looked++) {
    const [entryText] = await read([entryName(number)])
    if (entryText === undefined) {
      const [headText] = await read([HEAD])
      kind = 'number'
      number = number > parseHead(headText).first ? number - 1 : 0
      continue
    }
    const entry = JSON.parse(entryText)
    const changed = change(entry)
    if (changed) {
      erased++
      records.set(entryName(number), JSON.stringify({ ...entry, ...changed }))
      const ends = changed.details ? [] : await endsThatFind(read, [entry])
      ends.forEach((name) => records.set(name, ''))
    }
    number = before(entry, kind)
  }
  if (!number) {
    records.set(chain, '')
  }
  return { records, result: { erased, place: number ? { number, kind, newest } : undefined } }
}
