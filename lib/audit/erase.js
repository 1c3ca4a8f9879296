// Removes what the audit tells of an account. The places of entries in the chain stay, so it still holds.
const { withoutActor } = require('./chain.js')
const { accountChain, actorChain, endNames, entryName } = require('./names.js')
const { before, readEntry } = require('./read.js')
const { readTexts } = require('./read-texts.js')
const { replaced } = require('./write-texts.js')

module.exports = { erase }

// Returns the number of entries from which something was removed: everything where the account's sessions ended, and who did it
// where that was the account.
async function erase (store, appid, accountid) {
  const about = await eraseChain(store, 'account', accountChain(appid, accountid), ({ number, details }) => ({
    details: null,
    names: endNames({ appid, number, details })
  }))
  const by = await eraseChain(store, 'actor', actorChain(appid, accountid), ({ details }) => ({ details: withoutActor(details), names: [] }))
  return about + by
}

// Replaces the details of all entries of a chain by those that `change` returns, and removes records beside them.
async function eraseChain (store, kind, chain, change) {
  const [text] = await readTexts(store, [chain])
  let erased = 0
  let number = Number(text || 0)
  while (number) {
    const entry = await readEntry(store, number)
    if (!entry) {
      break
    }
    if (entry.details) {
      const { details, names } = change(entry)
      const changed = JSON.stringify({ ...entry, details })
      const isErased = await replaced(store, entryName(number), JSON.stringify(entry), [entryName(number), ...names], [changed, ...names.map(() => '')])
      erased += Number(isErased)
    }
    number = before(entry, kind)
  }
  await replaced(store, chain, text, [chain], [''])
  return erased
}
