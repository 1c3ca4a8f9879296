// One flipped bit in a journal of which neither sled nor the guard knows the last changes, as after a power cut: what was
// acknowledged and is whole is there, or nothing opens. And what was cut off never comes back.
const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { copyOpenStore } = require('../helpers/copy-open-store.js')
const { seeded } = require('../helpers/random.js')
const { makeFolder } = require('./worker.js')

const BLOCK = 4096
const CHANGES = 16
// Number of bytes before the changes of an entry, and the offset of its length. src/store/sled/folder/journal/mod.rs draws it.
const HEAD = 16
const LENGTH_AT = 4
// Of so many flips one is accepted by a recovery, and used further.
const USED = 4

module.exports = { run }

async function run ({ long }) {
  const folder = makeFolder()
  try {
    const test = { folder, random: seeded(1), original: await makeOriginal(folder), place: path.join(folder, 'place') }
    const flips = long ? 2000 : 200
    const gaps = { fault: 'one flipped bit in a journal, with the guard\'s last second lost', tried: 0, lost: 0 }
    const used = { fault: 'what was cut off there, after a recovery and further use', tried: 0, lost: 0 }
    const control = { fault: 'the same flips with nothing left behind them', tried: 0, lost: 0, mustLose: true }
    for (let i = 0; i < flips; i++) {
      const flipped = flip(test)
      const found = await open(test)
      count(gaps, isRight(flipped, found), `${JSON.stringify(flipped)}: ${found}`)
      if (found === 'ERR_STORE_ROLLED_BACK' && i % USED === 0) {
        count(used, await isUsable(test, flipped), JSON.stringify(flipped))
      }
      if (i % USED === 0) {
        const torn = flip(test, true)
        count(control, isRight(torn, await open(test)))
      }
    }
    return [gaps, used, control]
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function count (row, isRight, told) {
  row.tried++
  row.lost += isRight ? 0 : 1
  if (!isRight && told) {
    console.error(`${row.fault}: ${told}`)
  }
}

// A store as it was, with the journal of what was acknowledged after that.
async function makeOriginal (folder) {
  const [store, original] = ['store', 'original'].map((name) => path.join(folder, name))
  await use(store, ({ storage }) => storage.write('x', 'value 0'))
  fs.cpSync(store, original, { recursive: true })
  await use(store, async ({ storage }) => {
    for (let i = 1; i <= CHANGES; i++) {
      await storage.write('x', `value ${i}`)
    }
    fs.copyFileSync(path.join(store, 'sled', 'journal'), path.join(original, 'sled', 'journal'))
  })
  return original
}

// Flips a bit of one of the changes, and with `isTorn` removes all that lies behind that one.
function flip ({ original, place, random }, isTorn) {
  fs.rmSync(place, { recursive: true, force: true })
  fs.cpSync(original, place, { recursive: true })
  const journal = path.join(place, 'sled', 'journal')
  const bytes = fs.readFileSync(journal)
  const change = 1 + random.below(isTorn ? CHANGES - 1 : CHANGES)
  const start = (change - 1) * BLOCK
  const at = random.below(HEAD + bytes.readUInt32BE(start + LENGTH_AT))
  bytes[start + at] ^= 1 << random.below(8)
  isTorn && bytes.fill(0, start + BLOCK)
  fs.writeFileSync(journal, bytes)
  return { change, at }
}

// The last change alone looks like one that was never acknowledged.
function isRight ({ change }, found) {
  return found === (change === CHANGES ? `value ${CHANGES - 1}` : 'ERR_STORE_ROLLED_BACK')
}

// The changes before the damage are there, and later ones stay, also after a kill.
async function isUsable ({ folder, place }, { change }) {
  const killed = path.join(folder, 'killed')
  await addon.recover({ path: place, invalidateSessions: true })
  const before = await use(place, async ({ storage }) => {
    const found = await storage.read('x')
    for (let i = 0; i < change; i++) {
      await storage.write('x', `later ${i}`)
    }
    copyOpenStore(place, killed)
    return found
  })
  const after = await use(killed, ({ storage }) => storage.read('x'))
  fs.rmSync(killed, { recursive: true })
  return before === `value ${change - 1}` && after === `later ${change - 1}`
}

function open ({ place }) {
  return use(place, ({ storage }) => storage.read('x')).catch(({ code, message }) => code || message)
}

async function use (path, work) {
  const store = await addon.open({ path })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
