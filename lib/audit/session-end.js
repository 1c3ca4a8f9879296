// Why a session ended, by whom and when.
const { entryView } = require('./view.js')
const { before, readEntry } = require('./read.js')
const { readTexts } = require('./read-texts.js')
const { accountChain, chainsOf, resetName, sessionEndName } = require('./names.js')

// Resets before the module was there have no entries. So many of an account's resets are looked for.
const MOST_RESETS = 64
// Ends of the whole application that are looked at.
const MOST_ENDS = 1000

module.exports = { explain, explainOrphan }

// Returns the end of a session of `Session.get`, or null if it is live. `accountKeyNumber` is the session key number of its account.
async function explain (store, appid, session, accountKeyNumber) {
  if (!('ended' in session)) {
    return null
  }
  const end = { object: 'session-end', sessionid: session.sessionid, accountid: session.accountid, ended: session.ended }
  const entry = await findEntry(store, appid, session, accountKeyNumber)
  if (entry) {
    return { ...entryView(entry), ...end }
  }
  return { ...end, cause: session.ended === session.expires ? 'expired' : 'unknown' }
}

// Returns the end of a session whose account is gone: its own, or that of all sessions of the account.
async function explainOrphan (store, appid, { sessionid, accountid, ended }) {
  const numbers = await readTexts(store, [sessionEndName(appid, sessionid), accountChain(appid, accountid)])
  const entries = await Promise.all(numbers.map((number) => number === undefined ? undefined : readEntry(store, Number(number))))
  const entry = entries.find((entry) => entry?.details?.accountid === accountid)
  return { ...(entry ? entryView(entry) : { cause: 'unknown' }), object: 'session-end', sessionid, accountid, ended: ended ?? entry?.time ?? null }
}

async function findEntry (store, appid, { sessionid, accountid, created, ended, sessionKeyNumber }, accountKeyNumber) {
  const resets = Math.min(MOST_RESETS, Math.max(0, accountKeyNumber - sessionKeyNumber) || 0)
  const names = [
    sessionEndName(appid, sessionid),
    ...Array.from({ length: resets }, (_, index) => resetName(appid, accountid, sessionKeyNumber + 1 + index))
  ]
  const found = (await readTexts(store, names)).find((text) => text !== undefined)
  const entry = found === undefined ? undefined : await readEntry(store, Number(found))
  if (entry?.details?.accountid === accountid) {
    return entry
  }
  return findOfApplication(store, appid, created, ended)
}

// The first end of the whole application after the session was created. One that came after the session had ended did not end it.
async function findOfApplication (store, appid, created, ended) {
  const { cause } = chainsOf({ appid, cause: 'application-wide', details: {} })
  const [text] = await readTexts(store, [cause])
  let number = Number(text || 0)
  let found
  for (let looked = 0; number && looked < MOST_ENDS; looked++) {
    const entry = await readEntry(store, number)
    if (!entry) {
      break
    }
    if (created < entry.details?.before && entry.time <= ended) {
      found = entry
    }
    number = before(entry, 'cause')
  }
  return found
}
