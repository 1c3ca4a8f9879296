// Receipts of ends that came with an idempotency key: a record for a day, made in the commit of the end, so that the same request ends
// nothing twice.
const { setTimeout } = require('timers/promises')
const { invalid } = require('../errors.js')
const { hostSecret, now } = require('../host.js')
const { hashed } = require('../audit/names.js')
const { changeRecords } = require('../audit/change-records.js')
const { readTexts } = require('../audit/read-texts.js')

const DAY = 24 * 60 * 60
const LONGEST_COMMIT_MS = 3 * 1000

module.exports = { awaitReceipt, completeReceipt, printReceipt, pruneReceipts, readReceipt, receiptName }

// A key is of whoever uses it.
function receiptName (appid, owner, key) {
  return hashed('receipt', appid, owner || '', key)
}

// Returns the receipt of an earlier request, if there was one in the last day. `asked` is a hash of what is asked for.
async function readReceipt (store, { name, asked }) {
  const [text] = await readTexts(store, [name])
  if (text === undefined) {
    return
  }
  const { asked: askedBefore, ...receipt } = parse(text)
  if (isOld(receipt)) {
    await removeOld(store, name)
    return
  }
  if (askedBefore !== asked) {
    throw invalid('invalid-idempotencyKey', 'the key was used for another request within a day')
  }
  return receipt
}

// A change is refused as soon as another one of the same commit has made the receipt, so that commit may not be done yet.
async function awaitReceipt (store, receipt, error) {
  for (const end = Date.now() + LONGEST_COMMIT_MS; Date.now() < end;) {
    const made = await readReceipt(store, receipt)
    if (made?.entries) {
      return made
    }
    await setTimeout(2)
  }
  // The process that ended them may be gone before it has added the entries.
  const made = await readReceipt(store, receipt)
  if (made) {
    return made
  }
  throw error
}

// Adds what is known only after the commit. Without it the receipt still says that the end was made.
async function completeReceipt (store, { name, asked }, made, result) {
  const text = printReceipt(made, { asked })
  await changeRecords(store, async (read) => (await read([name]))[0] === text && { records: new Map([[name, printReceipt(result, { asked })]]) })
}

function printReceipt (receipt, { asked } = {}) {
  return JSON.stringify({ ...receipt, asked })
}

// Removes old receipts.
async function pruneReceipts (store) {
  let page
  do {
    const after = page?.at(-1)[0]
    page = JSON.parse(await store.receipts(after, hostSecret()))
    for (const [name] of page.filter(([, text]) => isOld(parse(text)))) {
      await removeOld(store, name)
    }
  } while (page.length)
}

// Unless it was used again meanwhile.
async function removeOld (store, name) {
  await changeRecords(store, async (read) => {
    const [text] = await read([name])
    return text !== undefined && isOld(parse(text)) && { records: new Map([[name, '']]) }
  })
}

// One that cannot be read, because Dashboard had another secret, is of no use.
function parse (text) {
  try {
    return JSON.parse(text) || {}
  } catch (error) {
    return {}
  }
}

function isOld ({ time }) {
  return !(now() - time <= DAY)
}
