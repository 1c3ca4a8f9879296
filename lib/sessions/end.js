// Ends by choice: one session, all of an account, all but one, those that a filter chooses, all of an application.
const { createHash } = require('crypto')
const { setTimeout } = require('timers/promises')
const { attribution, withAttribution } = require('../attribution.js')
const { invalid } = require('../errors.js')
const { isUnambiguous } = require('../host-keys.js')
const { hostSecret, now } = require('../host.js')
const { Account, readEndOfApplication, Session } = require('../administrator.js')
const { chainsOf, resetName, sessionEndName } = require('../audit/names.js')
const { readEntry } = require('../audit/read.js')
const { readTexts } = require('../audit/read-texts.js')
const { allOf, eachPage } = require('./list.js')
const { readFlag, readId, readIds, readPastTime, readText, requireKnown, value } = require('./arguments.js')
const { awaitReceipt, completeReceipt, printReceipt, readReceipt, receiptName } = require('./receipts.js')

// Sessions that end in one commit, and ids that a receipt names.
const BATCH = 1000
const MOST_NAMED = 100
const LONGEST_APPEND_MS = 1000
const SELECTIONS = ['sessionid', 'accountid', 'accountids', 'all']
const CHOICES = [...SELECTIONS, 'except', 'before', 'idleSince']
const PARAMETERS = [...CHOICES, 'dryRun', 'reason', 'idempotencyKey']

module.exports = { end }

// `owner` is the account whose sessions may be ended; without it, all of the application may be.
async function end (module, req, owner) {
  requireKnown(req, PARAMETERS)
  const choice = readChoice(req, owner)
  const options = { dryRun: readFlag(req, 'dryRun'), reason: readText(req, 'reason'), idempotencyKey: readText(req, 'idempotencyKey', 200) }
  // As it was written: a time may be taken for another one a second later.
  const asked = createHash('sha256').update(JSON.stringify(CHOICES.map((name) => String(value(req, name) ?? '')))).digest('hex')
  const receipt = options.idempotencyKey && { name: receiptName(req.appid, owner || req.account?.accountid, options.idempotencyKey), asked }
  const before = receipt && await readReceipt(module.store, receipt)
  if (before && !options.dryRun) {
    return before
  }
  const planned = await plan(module, req, choice, owner, options.dryRun)
  if (options.dryRun) {
    return { ...print(planned, planned.sessionids), ended: planned.sessionids.length, object: 'receipt', dryRun: true, time: now() }
  }
  const cause = owner ? 'ended-by-user' : 'ended-by-administrator'
  try {
    return await withAttribution({ cause: planned.before === undefined ? cause : undefined, reason: options.reason }, () => carryOut(module, req, planned, receipt))
  } catch (error) {
    if (error.message !== 'receipt-exists') {
      throw error
    }
    // The same request came twice at once, and the other one ends them.
    return awaitReceipt(module.store, receipt, error)
  }
}

// Exactly one selection: a request that selects nothing, or that may have lost a part, ends nothing.
function readChoice (req, owner) {
  const choice = {
    sessionid: readId(req, 'sessionid'),
    accountid: readId(req, 'accountid'),
    accountids: readIds(req, 'accountids'),
    all: readFlag(req, 'all') || undefined,
    except: readId(req, 'except'),
    before: readPastTime(req, 'before'),
    idleSince: readPastTime(req, 'idleSince')
  }
  const selections = SELECTIONS.filter((name) => choice[name] !== undefined)
  if (selections.length !== 1) {
    throw invalid('invalid-selection', `give exactly one of ${SELECTIONS.join(', ')}`)
  }
  if (choice.sessionid && (choice.except || choice.before !== undefined || choice.idleSince !== undefined)) {
    throw invalid('invalid-selection', 'one session is ended whatever its age; leave out except, before and idleSince')
  }
  if (choice.except && !choice.accountid) {
    throw invalid('invalid-selection', 'except is for the sessions of one account')
  }
  if (owner && (choice.accountids || choice.all || (choice.accountid && choice.accountid !== owner))) {
    throw invalid('invalid-account')
  }
  return choice
}

// Returns what is to be ended: `sessionids` one by one, `accountids` with all their sessions, or those created before `before`.
async function plan ({ store, lastSeen }, { appid }, choice, owner, isDry) {
  const { sessionid, accountid, accountids, all, except, before, idleSince } = choice
  if (sessionid) {
    const session = await Session.get({ appid, query: { sessionid } })
    if (owner && session.accountid !== owner) {
      throw invalid('invalid-account')
    }
    return { sessionids: 'ended' in session ? [] : [sessionid], accountids: [] }
  }
  const chosen = accountids || [accountid].filter(Boolean)
  for (const id of chosen) {
    await Account.get({ appid, query: { accountid: id } })
  }
  if (except && (await Session.get({ appid, query: { sessionid: except } })).accountid !== accountid) {
    // All of this account would end.
    throw invalid('invalid-except', `the session ${except} is not one of the account ${accountid}`)
  }
  if (all && !isUnambiguous(appid, '')) {
    throw invalid('invalid-appid')
  }
  const isOfApplication = all && idleSince === undefined
  const createdBefore = isOfApplication ? before ?? now() + 1 : before
  // One write ends them all, however many there are. Only a dry run looks at each.
  if (isOfApplication && !isDry) {
    return { sessionids: [], accountids: [], before: createdBefore }
  }
  const isWhole = !except && before === undefined && idleSince === undefined
  const sessionids = []
  // A session that does not say when it was created is an old one, as `Session.get` has it.
  const choose = async (page) => {
    const live = page.filter((session) => !('ended' in session) && session.sessionid !== except && (createdBefore === undefined || !(session.created >= createdBefore)))
    const seen = idleSince === undefined ? [] : await lastSeen.of(appid, live.map(({ sessionid }) => sessionid))
    sessionids.push(...live.filter((session, index) => idleSince === undefined || !((seen[index]?.time ?? session.created) >= idleSince)).map(({ sessionid }) => sessionid))
  }
  if (all) {
    await eachPage(store, appid, undefined, choose)
  } else {
    for (const id of chosen) {
      await choose(await allOf(store, appid, id))
    }
  }
  return { sessionids, accountids: isWhole ? chosen : [], before: isOfApplication ? createdBefore : undefined }
}

async function carryOut ({ store, ledger }, { appid }, planned, receipt) {
  const { accountids, before } = planned
  const time = now()
  const made = { object: 'receipt', dryRun: false, ...print(planned, planned.sessionids), time }
  // A whole account ends by its key, and the sessions of the plan with it.
  const single = accountids.length ? [] : planned.sessionids
  let ended = 0
  const named = []
  if (before !== undefined && await hasEndedBefore(appid, before)) {
    return { ...made, entries: [] }
  }
  for (let index = 0; index === 0 || index < single.length; index += BATCH) {
    const batch = single.slice(index, index + BATCH)
    const isFirst = index === 0
    // With the last one: a receipt says what has been done.
    const isLast = index + BATCH >= single.length
    const flags = JSON.parse(await store.end(appid, batch, isFirst ? accountids : [], isFirst ? before : undefined, time, attribution(), isLast ? receipt?.name : undefined, printReceipt(made, receipt), hostSecret()))
    for (const [place, sessionid] of batch.entries()) {
      if (flags[place]) {
        ended++
        named.push(sessionid)
      }
    }
  }
  const isCounted = !accountids.length && before === undefined
  const result = { ...made, ...(isCounted && { ...print(planned, named), ended }), entries: await findEntries(store, ledger, appid, { named, accountids, before }) }
  if (receipt) {
    await completeReceipt(store, receipt, made, result)
  }
  return result
}

// Returns the numbers of the entries about an end. It is in force already, so nobody waits for long where many other ends wait for their
// numbers as well.
async function findEntries (store, ledger, appid, { named, accountids, before }) {
  await Promise.race([ledger.append().catch((error) => ledger.warn(error)), setTimeout(LONGEST_APPEND_MS, undefined, { ref: false })])
  if (before !== undefined) {
    const [number] = await readTexts(store, [chainsOf({ appid, cause: 'application-wide' }).cause])
    const entry = number && await readEntry(store, Number(number))
    return entry?.details?.before === before ? [entry.number] : []
  }
  const names = accountids.length
    ? await Promise.all(accountids.slice(0, MOST_NAMED).map(async (accountid) => {
      const { sessionKeyNumber } = await Account.get({ appid, query: { accountid } })
      return resetName(appid, accountid, sessionKeyNumber)
    }))
    : named.slice(0, MOST_NAMED).map((sessionid) => sessionEndName(appid, sessionid))
  return (await readTexts(store, names)).filter(Boolean).map(Number)
}

function print ({ accountids, before }, sessionids) {
  return {
    ended: before === undefined ? sessionids.length : undefined,
    sessionids: sessionids.slice(0, MOST_NAMED),
    accountids,
    createdBefore: before
  }
}

// Returns whether everything that was created before this time has ended already.
async function hasEndedBefore (appid, time) {
  const application = await readEndOfApplication(appid)
  return application !== undefined && application.before >= time
}
