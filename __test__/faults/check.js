// Opens stores through the real addon and compares them with what they must hold.
const { APPID, SESSIONS, account, accountKey, contents, recordKey, session, sessionKey } = require('./model.js')

module.exports = { check }

// Opens the store in `folder`, which must hold at least the state `least` and at most `most`. Resolves to
// { opened, codes, wrong }: the codes of what was refused, and what must never be. With `change` the store is
// written to and closed, then compared once more, since damage may show late, and an open that fails changes files.
async function check (addon, { folder, least, most, change }) {
  const seen = { opened: false, codes: [], wrong: [] }
  process.env.SLED_PATH = folder
  const storage = await attempt(seen, 'open', () => addon.Storage.setup())
  if (!storage) {
    return change ? checkAgain(addon, { folder, least, most }, seen) : seen
  }
  seen.opened = true
  const lists = await addon.StorageList.setup(storage)
  await compare(addon, storage, lists, seen, least, most)
  if (change) {
    const req = { appid: APPID, query: { accountid: 'account_0' } }
    const reset = await attempt(seen, 'reset', () => addon.ResetSessionKey.patch(req), undefined, !least.accounts[0])
    if (reset) {
      least.accounts[0] = reset.sessionKeyNumber
      most.accounts[0] = Math.max(most.accounts[0], reset.sessionKeyNumber)
    }
  }
  await attempt(seen, 'close', () => storage.close())
  return change ? checkAgain(addon, { folder, least, most }, seen) : seen
}

async function checkAgain (addon, asked, seen) {
  const again = await check(addon, asked)
  seen.codes.push(...again.codes)
  seen.wrong.push(...again.wrong.map((wrong) => `the second time: ${wrong}`))
  return seen
}

async function compare (addon, storage, lists, seen, least, most) {
  for (const i in least.accounts) {
    await compareAccount(addon, storage, seen, i, least.accounts[i], most.accounts[i])
  }
  for (const i in least.records) {
    const text = await attempt(seen, `record ${i}`, () => storage.read(recordKey(i)), null)
    const number = text === undefined ? 0 : parseInt(text)
    if (text !== null && (!within(number, least.records[i], most.records[i]) || (number && text !== contents(Number(i), number)))) {
      seen.wrong.push(`record ${i}: ${describe(text)}, expected ${least.records[i]} to ${most.records[i]}`)
    }
  }
  for (const i in least.lists) {
    const items = await attempt(seen, `list ${i}`, () => lists.listAll(`list/${i}`), null)
    const count = await attempt(seen, `count ${i}`, () => lists.count(`list/${i}`), null)
    const number = items ? items.length : 0
    const right = items === null || (within(number, least.lists[i], most.lists[i]) && (items || []).every((item, k) => item === `item ${number - k}`))
    if (!right || (items !== null && count !== null && count !== number)) {
      seen.wrong.push(`list ${i}: ${number} items, count ${count}, expected ${least.lists[i]} to ${most.lists[i]}`)
    }
  }
}

// An account, and its sessions: those from before its acknowledged resets have ended.
async function compareAccount (addon, storage, seen, i, least, most) {
  const text = await attempt(seen, `account ${i}`, () => storage.read(accountKey(i)), null)
  if (text === undefined && !least) {
    return
  }
  if (text !== null) {
    const found = parse(text)
    const expected = account(i)
    const right = within(found.sessionKeyNumber, least || 1, most) && found.profile === expected.profile && found.accountid === expected.accountid
    if (!right) {
      seen.wrong.push(`account ${i}: ${describe(text)}, expected number ${least} to ${most}`)
    }
  }
  for (const number of SESSIONS) {
    const sessionid = session(i, number).sessionid
    const found = await attempt(seen, `session ${i} ${number}`, () => addon.Session.get({ appid: APPID, query: { sessionid } }), null, !least)
    if (found && !found.ended && number < least) {
      seen.wrong.push(`REVOKED SESSION LIVE: ${sessionid} with the account at ${least}`)
    }
    if (found && (found.ended ? number >= most : false)) {
      seen.wrong.push(`session ended that nobody ended: ${sessionid}`)
    }
    const stored = await attempt(seen, `session ${i} ${number}`, () => storage.read(sessionKey(i, number)), null)
    if (stored !== null && !(stored === undefined && !least) && stored !== JSON.stringify(session(i, number))) {
      seen.wrong.push(`session ${sessionid}: ${describe(stored)}`)
    }
  }
}

// A refusal is an error with a code of the store; a missing record or item is not a refusal.
async function attempt (seen, name, work, failed, mayBeMissing) {
  try {
    return await work()
  } catch (error) {
    if (/^ERR_STORE_/.test(error.code)) {
      seen.codes.push(error.code)
    } else if (!mayBeMissing) {
      seen.wrong.push(`${name}: ${error.code} ${error.message}`)
    }
    return failed
  }
}

function within (number, least, most) {
  return number >= least && number <= most
}

function parse (text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return {}
  }
}

function describe (text) {
  return text === undefined ? 'missing' : `${text.length} characters "${text.substring(0, 40)}"`
}
