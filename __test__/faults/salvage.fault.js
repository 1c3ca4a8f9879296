// Damage at random places of sled's files, and what a salvage brings out of them: nothing that is wrong or older, and
// nothing is missing unless it says that something is.
const { execFile } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { seeded } = require('../helpers/random.js')
const { makeFolder } = require('./worker.js')

const ACCOUNTS = 400
const APPID = 'd'
const LIST = `${APPID}/accounts`
const MOST_BYTES = 4096
const LIMIT_MS = 180000
const tool = path.join(__dirname, '..', '..', 'bin', 'dashboard-sled.js')

const ways = {
  'one to eight flipped bits': (bytes, random) => {
    for (let i = random.below(8); i >= 0; i--) {
      bytes[random.below(bytes.length)] ^= 1 << random.below(8)
    }
  },
  'a stretch of up to 4096 zeros': (bytes, random) => {
    const at = random.below(bytes.length)
    bytes.fill(0, at, at + 1 + random.below(MOST_BYTES))
  }
}

module.exports = { run }

async function run ({ long }) {
  const folder = makeFolder()
  try {
    const test = { folder, random: seeded(1), original: path.join(folder, 'original'), store: path.join(folder, 'store'), target: path.join(folder, 'target') }
    await makeOriginal(test.original)
    const rows = []
    for (const [way, damage] of Object.entries(ways)) {
      rows.push(await damaged(test, `salvage of a store with ${way} in sled's data`, long ? 200 : 25, damage))
    }
    return [...rows, await control(test)]
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

async function damaged (test, fault, tries, damage) {
  const row = { fault, tried: 0, lost: 0 }
  const outcomes = {}
  for (let i = 0; i < tries; i++) {
    renew(test)
    const file = path.join(test.store, 'sled', 'db')
    const bytes = fs.readFileSync(file)
    // Behind what sled has written there are only zeros.
    damage(bytes.subarray(0, test.end ||= lastByte(bytes) + 1), test.random)
    fs.writeFileSync(file, bytes)
    const { outcome, wrong } = await salvage(test)
    outcomes[outcome] = (outcomes[outcome] || 0) + 1
    row.tried++
    row.lost += wrong ? 1 : 0
    wrong && console.error(`${fault}: try ${i}: ${wrong}`)
  }
  console.log(`${fault}:`, outcomes)
  return row
}

// A record that was removed is missing, and nothing can say so: what is looked at here would see that.
async function control (test) {
  renew(test)
  const store = await addon.open({ path: test.store })
  await store.storage.delete(`${APPID}/account/7`)
  await store.close()
  const { wrong } = await salvage(test)
  return { fault: 'the same after a record was removed', tried: 1, lost: wrong ? 1 : 0, mustLose: true }
}

async function makeOriginal (folder) {
  const store = await addon.open({ path: folder })
  // An older version of each lies in sled's log as well.
  for (const version of ['older', 'newer']) {
    await store.load(Array.from({ length: ACCOUNTS }, (_, i) => ({ record: `${APPID}/account/${i}`, contents: Buffer.from(account(i, version)) })))
  }
  await store.load([{ list: LIST, items: Array.from({ length: ACCOUNTS }, (_, i) => String(i)) }])
  await store.close()
  // An open writes a snapshot, and sled trusts the data before it.
  await (await addon.open({ path: folder })).close()
}

function renew ({ original, store, target }) {
  for (const folder of [store, target]) {
    fs.rmSync(folder, { recursive: true, force: true })
  }
  fs.cpSync(original, store, { recursive: true })
}

async function salvage ({ store, target }) {
  const { code, signal, stdout, stderr } = await runTool(['recover', '--salvage', target, '--store', store, '--json'])
  if (signal || typeof code !== 'number') {
    return { outcome: 'crashed', wrong: `CRASH: ${signal || code} ${stderr}` }
  }
  if (!stdout) {
    // A store that does not open cannot be salvaged.
    const { error } = JSON.parse(stderr.trim().split('\n').pop())
    const isRefused = error.code.startsWith('ERR_STORE_') && !fs.existsSync(target)
    return { outcome: `refused: ${error.code}`, wrong: isRefused ? undefined : `refused with ${error.code}: ${error.detail}` }
  }
  const { damaged } = JSON.parse(stdout)
  const saved = await addon.open({ path: target, create: false })
  try {
    const problems = await lookAt(saved)
    const isSilent = problems.missing > 0 && !damaged
    return {
      outcome: damaged ? 'saved what could be read' : 'saved everything',
      wrong: problems.wrong || (isSilent ? `${problems.missing} are missing, and it says that nothing is` : undefined)
    }
  } finally {
    await saved.close()
  }
}

async function lookAt (store) {
  let missing = 0
  if ((await store.verify()).problems) {
    return { wrong: 'what was saved is not whole' }
  }
  for (let i = 0; i < ACCOUNTS; i++) {
    const text = await store.storage.read(`${APPID}/account/${i}`)
    const found = text && JSON.parse(text)
    if (found && (found.mark !== 'newer' || found.number !== i || found.sessionKeyNumber !== 2)) {
      return { wrong: `account ${i} is not as it was: ${found.mark} ${found.sessionKeyNumber}` }
    }
    missing += found ? 0 : 1
  }
  const items = await store.lists.listAll(LIST) || []
  return { missing: missing + ACCOUNTS - items.length }
}

function runTool (args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], { timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 1e9 }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, signal: error && error.signal, stdout, stderr })
    })
  })
}

function lastByte (bytes) {
  let at = bytes.length - 1
  while (at > 0 && bytes[at] === 0) {
    at--
  }
  return at
}

function account (i, mark) {
  return JSON.stringify({ object: 'account', sessionKey: 'k', sessionKeyNumber: 1, number: i, mark, pad: 'x'.repeat(200) })
}
