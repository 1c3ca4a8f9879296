// Receipts of ends that came with an idempotency key: a record for a day, made in the commit of the end, so that the same request ends
// nothing twice.
const { setTimeout } = require('timers/promises')
const { invalid } = require('../errors.js')
const { hostSecret, now } = require('../host.js')
const { hashed } = require('../audit/names.js')
const { readTexts } = require('../audit/read-texts.js')
const { replaced } = require('../audit/write-texts.js')

const DAY = 24 * 60 * 60
const LONGEST_COMMIT_MS = 10 * 1000

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
    await replaced(store, name, text, [name], [''])
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
    if (made) {
      return made
    }
    await setTimeout(2)
  }
  throw error
}

// Adds what is known only after the commit. Without it the receipt still says that the end was made.
async function completeReceipt (store, key, made, result) {
  await replaced(store, key.name, printReceipt(made, key), [key.name], [printReceipt(result, key)]).catch(() => {})
}

function printReceipt (receipt, key) {
  return JSON.stringify({ ...receipt, asked: key?.asked })
}

// Removes old receipts.
async function pruneReceipts (store) {
  let page
  do {
    const after = page?.at(-1)[0]
    page = JSON.parse(await store.receipts(after, hostSecret()))
    for (const [name, text] of page.filter(([, text]) => isOld(parse(text)))) {
      await replaced(store, name, text, [name], [''])
    }
  } while (page.length)
}

// One that cannot be read, because Dashboard had another secret, is of no use.
function parse (text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return { time: 0 }
  }
}

function isOld ({ time }) {
  return now() - time > DAY
}
