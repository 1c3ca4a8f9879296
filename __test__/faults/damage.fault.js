// Damaged files, and old ones: an error that says so or the right answer, never a wrong one.
const fs = require('fs')
const path = require('path')
const { seeded } = require('../helpers/random.js')
const { copy } = require('./model.js')
const { makeOpener } = require('./opener.js')
const { makeFolder, work } = require('./worker.js')

const SIZES = { accounts: 40, records: 20, lists: 5 }
const MOMENTS = 40

module.exports = { run }

async function run ({ long }) {
  const folder = makeFolder()
  const opener = makeOpener()
  const random = seeded(1)
  try {
    const { state, moments } = await work(folder, { seed: 1, sizes: SIZES, steps: 400, width: 4, moments: MOMENTS, reopen: 130 })
    const test = { folder, opener, random, state, moments, place: path.join(folder, 'place') }
    const stores = await makeStores(test)
    return [
      await damage(test, stores, 'one flipped bit', long ? 2000 : 200, flip),
      await damage(test, stores, 'truncated by 1 to 4096 bytes', long ? 500 : 100, truncate),
      await olderSled(test, long ? 500 : 50),
      await olderGuard(test, long ? 500 : 50),
      await copiedAndMoved(test, long ? 30 : 10),
      await olderStore(test, 5)
    ]
  } finally {
    await opener.close()
    fs.rmSync(folder, { recursive: true })
  }
}

// sled makes a snapshot when it opens: one store with all of its log behind that, one with all before it.
async function makeStores ({ folder, opener, state }) {
  const written = path.join(folder, 'store')
  const opened = path.join(folder, 'opened')
  fs.cpSync(written, opened, { recursive: true })
  const { wrong } = await opener.ask({ folder: opened, least: state, most: state })
  if (wrong.length) {
    throw new Error(`the undamaged store is wrong: ${wrong[0]}`)
  }
  return [written, opened]
}

async function damage (test, stores, fault, tries, make) {
  const counted = makeCount(fault)
  for (let i = 0; i < tries; i++) {
    const store = stores[i % stores.length]
    place(test, path.join(store, 'sled'), store)
    const names = ['guard', 'lock', ...fs.readdirSync(path.join(store, 'sled')).filter((name) => name !== 'blobs').map((name) => `sled/${name}`)]
    // The log is most of a store, and has most places.
    const name = i % 2 ? 'sled/db' : names[i / 2 % names.length]
    const what = make(path.join(test.place, name), test.random)
    const answer = await test.opener.ask({ folder: test.place, least: copy(test.state), most: copy(test.state), change: true })
    counted.add(answer, `${path.basename(store)}/${name} ${what}`, answer.wrong)
  }
  return counted.row()
}

// Most of the log is not in use, and zero: few places are taken there.
function flip (file, random) {
  const bytes = fs.readFileSync(file)
  let at = random.below(bytes.length)
  while (bytes[at] === 0 && random.below(8)) {
    at = random.below(bytes.length)
  }
  const bit = random.below(8)
  bytes[at] ^= 1 << bit
  fs.writeFileSync(file, bytes)
  return `bit ${bit} of byte ${at}`
}

// From the end of the file, or of what was written to it.
function truncate (file, random) {
  const bytes = fs.readFileSync(file)
  let size = bytes.length
  if (random.below(2)) {
    size = bytes.findLastIndex((byte) => byte !== 0) + 1
  }
  const by = 1 + random.below(Math.min(4096, size))
  fs.truncateSync(file, size - by)
  return `without the last ${by} of ${size} bytes`
}

// Data from before what the guard has seen acknowledged.
async function olderSled (test, tries) {
  const counted = makeCount('older data under the present guard')
  for (let i = 0; i < tries; i++) {
    const { older, newer } = pair(test)
    place(test, path.join(older.folder, 'sled'), newer.folder)
    const answer = await test.opener.ask({ folder: test.place, least: newer.state, most: newer.state })
    const refused = !answer.opened && answer.codes.join() === 'ERR_STORE_ROLLED_BACK'
    counted.add(answer, `data ${older.name}, guard ${newer.name}`, refused ? [] : [`${answer.codes} ${answer.wrong}`])
  }
  return counted.row()
}

// The guard may lag: then everything is there.
async function olderGuard (test, tries) {
  const counted = makeCount('an older guard beside the present data')
  for (let i = 0; i < tries; i++) {
    const { older, newer } = pair(test)
    place(test, path.join(newer.folder, 'sled'), older.folder)
    counted.addWhole(await test.opener.ask({ folder: test.place, least: copy(newer.state), most: copy(newer.state), change: true }), `guard ${older.name}, data ${newer.name}`)
  }
  return counted.row()
}

async function copiedAndMoved (test, tries) {
  const counted = makeCount('a whole store copied, moved, linked')
  const moved = path.join(test.folder, 'moved')
  const link = path.join(test.folder, 'link')
  for (let i = 0; i < tries; i++) {
    const { newer } = pair(test)
    place(test, path.join(newer.folder, 'sled'), newer.folder)
    const check = (folder) => test.opener.ask({ folder, least: newer.state, most: newer.state })
    counted.addWhole(await check(test.place), `copy of ${newer.name}`)
    fs.renameSync(test.place, moved)
    counted.addWhole(await check(moved), `copy of ${newer.name}, opened, moved`)
    fs.symlinkSync(moved, link)
    counted.addWhole(await check(link), `copy of ${newer.name}, opened, moved, linked`)
    fs.unlinkSync(link)
    fs.rmSync(moved, { recursive: true })
  }
  return counted.row()
}

// Nobody can tell it from the present one: not promised, and the control that shows that loss is seen here.
async function olderStore (test, tries) {
  const counted = makeCount('an older copy of the whole store, which cannot be told')
  for (let i = 0; i < tries; i++) {
    const { older, newer } = pair(test)
    place(test, path.join(older.folder, 'sled'), older.folder)
    const answer = await test.opener.ask({ folder: test.place, least: newer.state, most: newer.state })
    counted.add(answer, `copy of ${older.name} for ${newer.name}`, answer.wrong)
  }
  return { ...counted.row(), mustLose: true }
}

function pair ({ folder, moments, random }) {
  const older = random.below(moments.length - 1)
  const newer = older + 1 + random.below(moments.length - older - 1)
  const at = (moment) => ({ ...moment, folder: path.join(folder, 'moments', moment.name) })
  return { older: at(moments[older]), newer: at(moments[newer]) }
}

// A new store of this data and the rest of that store.
function place (test, sled, rest) {
  fs.rmSync(test.place, { recursive: true, force: true })
  fs.mkdirSync(test.place)
  for (const name of ['guard', 'lock']) {
    fs.copyFileSync(path.join(rest, name), path.join(test.place, name))
  }
  fs.cpSync(sled, path.join(test.place, 'sled'), { recursive: true })
}

function makeCount (fault) {
  const outcomes = {}
  let tried = 0
  let lost = 0
  const add = ({ opened, codes, wrong }, what, bad) => {
    tried++
    const outcome = `${opened ? 'opened' : 'refused'} ${[...new Set(codes)].join(' ')}`.trim()
    outcomes[outcome] = (outcomes[outcome] || 0) + 1
    if (bad.length && ++lost <= 3) {
      console.error(`${fault}: ${what}: ${codes[0] || ''} ${bad.slice(0, 3).join('; ')}`)
    }
  }
  return {
    add,
    addWhole: (answer, what) => add(answer, what, [...answer.codes, ...answer.wrong]),
    row: () => {
      console.log(`${fault}:`, outcomes)
      return { fault, tried, lost }
    }
  }
}
