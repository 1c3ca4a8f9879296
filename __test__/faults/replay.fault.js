// Power cuts at any moment, out of a recording: un-synced writes dropped, reordered and torn.
const fs = require('fs')
const path = require('path')
const { seeded } = require('../helpers/random.js')
const { copy, empty, note } = require('./model.js')
const { makeOpener } = require('./opener.js')
const { makeReplay, readLog } = require('./replay.js')
const { compile } = require('./shim.js')
const { makeFolder, work } = require('./worker.js')

const small = {
  name: 'small',
  fault: 'un-synced writes dropped, reordered, torn',
  sizes: { accounts: 200, records: 12, lists: 5 },
  work: { steps: 2500, width: 4, pause: 3, reopen: 900 }
}
const large = {
  name: 'large',
  fault: 'the same in commits that fill several segments',
  sizes: { accounts: 300, records: 400, lists: 5 },
  work: { steps: 60, width: 500, pause: 50, reopen: 25 }
}
const SEGMENT = 512 * 1024
const SEED = 1

module.exports = { run }

async function run ({ long }) {
  const [folder, disk] = [makeFolder(), makeFolder(true)]
  try {
    const library = compile('recorder', folder)
    if (!library) {
      return [{ fault: small.fault, skipped: 'needs gcc on Linux' }]
    }
    const test = await record(disk, library, small)
    return [
      await replay(test, small.fault, long ? 1500 : 300),
      { ...await replay(test, 'the same without our fdatasync', 30, isSleds), mustLose: true },
      await replay(await record(folder, library, small), `${small.fault}, not past the page cache`, long ? 500 : 100),
      await replay(await record(disk, library, large), large.fault, long ? 500 : 100)
    ]
  } finally {
    fs.rmSync(folder, { recursive: true })
    fs.rmSync(disk, { recursive: true })
  }
}

async function record (folder, library, { name, sizes, work: worked }) {
  const recorded = path.join(folder, name)
  const log = path.join(folder, `${name} log`)
  fs.mkdirSync(recorded)
  const { state } = await work(recorded, { seed: SEED, sizes, ...worked }, { LD_PRELOAD: library, RECORD_FOLDER: recorded, RECORD_LOG: log })
  const records = readLog(log)
  describe(records, path.join(recorded, 'store', 'sled', 'db'))
  return { folder, recorded, records, most: state, sizes }
}

// No fdatasync of the journal or of sled's log counts; sled's own calls are fsync.
function isSleds ({ path: file, path2 }) {
  return !(path2 === 'fdatasync' && ['journal', 'db'].includes(path.basename(file)))
}

// A workload that does not reuse the segments would prove little.
function describe (records, db) {
  const writes = records.filter((record) => record.kind === 'write' && record.path === db)
  const segments = new Map()
  for (const { number } of writes.filter((write) => write.number % SEGMENT === 0)) {
    segments.set(number / SEGMENT, (segments.get(number / SEGMENT) || 0) + 1)
  }
  if (![...segments.values()].some((times) => times > 1)) {
    throw new Error('no segment of the log was written over')
  }
  const bytes = writes.reduce((sum, { data }) => sum + data.length, 0)
  console.log(`recorded: ${records.length} calls, ${writes.length} writes of ${Math.round(bytes / 1e6)} MB to the log; times that each segment was begun: ${[...segments.values()].join(' ')}`)
}

// Most of the time nothing is un-synced but the guard: half of the points are right behind a write to the log, and some
// where names and lengths change.
function choose (records, points, random) {
  const indexes = records.map((_, i) => i)
  const writes = indexes.filter((i) => records[i].kind === 'write' && path.basename(records[i].path) === 'db')
  const names = indexes.filter((i) => ['create', 'mkdir', 'rename', 'truncate', 'unlink'].includes(records[i].kind))
  const chosen = Array.from({ length: points }, (_, i) => {
    const among = [writes, indexes, writes, names][i % 4]
    return Math.min(among[random.below(among.length)] + 1, records.length - 1)
  })
  return chosen.sort((a, b) => a - b)
}

async function replay ({ folder, recorded, records, most, sizes }, fault, points, counts) {
  const random = seeded(SEED)
  const chosen = choose(records, points, random)
  const place = path.join(folder, 'place')
  const replaying = makeReplay(recorded, counts)
  const least = empty(sizes)
  const opener = makeOpener()
  const outcomes = {}
  let next = 0
  let lost = 0
  try {
    for (const point of chosen) {
      for (; next < point; next++) {
        const record = records[next]
        if (record.path === path.join(recorded, 'acknowledged')) {
          record.kind === 'write' && record.data.toString().split('\n').forEach((line) => note(least, line))
        } else {
          replaying.step(record)
        }
      }
      fs.rmSync(place, { recursive: true, force: true })
      replaying.build(place, random)
      const answer = await opener.ask({ folder: path.join(place, 'store'), least: copy(least), most: copy(most), change: true })
      const bad = [...answer.codes, ...answer.wrong]
      const outcome = `${answer.opened ? 'opened' : 'refused'} ${[...new Set(answer.codes)]}`.trim()
      outcomes[outcome] = (outcomes[outcome] || 0) + 1
      if (bad.length && ++lost <= 3) {
        console.error(`${fault}: call ${point} (${records[point].kind} ${path.basename(records[point].path)}): ${bad.slice(0, 3).join('; ')}`)
      }
    }
  } finally {
    await opener.close()
  }
  console.log(`${fault}:`, outcomes)
  return { fault, tried: points, lost }
}
