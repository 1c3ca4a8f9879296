// Writes and syncs that fail, and a full disk: refused with a code, and nothing acknowledged is lost.
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { copy, empty } = require('./model.js')
const { makeOpener } = require('./opener.js')
const { compile } = require('./shim.js')
const { makeFolder, readStates, runNode, work } = require('./worker.js')

const SIZES = { accounts: 3, records: 1, lists: 1 }
const CALLS = ['pwrite64', 'write', 'fdatasync', 'fsync']
// In milliseconds: longer than sled waits before it writes by itself.
const PAUSE = 600
// More calls than any run makes: then counting has gone wrong.
const MOST_CALLS = 200
// A commit that hangs is given up after 10 s.
const SLOW = 5000
// Enough failures; each may take long.
const ENOUGH = 10

module.exports = { run }

async function run () {
  const [memory, disk] = [makeFolder(), makeFolder(true)]
  try {
    return [...await failing(memory, ''), ...await failing(disk, ', past the page cache'), ...await fullDisk(memory)]
  } finally {
    fs.rmSync(memory, { recursive: true })
    fs.rmSync(disk, { recursive: true })
  }
}

async function failing (folder, where) {
  const library = compile('failing', folder)
  if (!library) {
    return [{ fault: 'failing writes and syncs', skipped: 'needs gcc on Linux' }]
  }
  const control = path.join(folder, 'control')
  fs.writeFileSync(control, Buffer.alloc(24))
  const place = path.join(folder, 'place')
  const { state } = await work(folder, { seed: 1, sizes: SIZES, steps: 30, width: 2 })
  const test = {
    place,
    worker: makeOpener('fail-many.js', { LD_PRELOAD: library, FAIL_CONTROL: control, FAIL_FOLDER: place }),
    opener: makeOpener(),
    scenes: [
      { name: 'a new store', state: empty(SIZES), prepare: () => {} },
      { name: 'a store', state, prepare: () => fs.cpSync(path.join(folder, 'store'), place, { recursive: true }) }
    ],
    undone: { fault: `a reset that failed stays in force for reads${where}`, tried: 0, lost: 0 },
    again: { fault: `the same process opens the store again after it failed${where}`, tried: 0, lost: 0 }
  }
  const rows = []
  try {
    for (const call of CALLS) {
      rows.push(await failingCall(test, `each ${call} fails: EIO, ENOSPC, once, from then on${where}`, { call }))
    }
    // sled's own writes, behind a change that is acknowledged and before the next one. sled remembers the first failure.
    const once = { call: 'pwrite64', errors: ['EIO'], stickies: [false], pause: PAUSE }
    rows.push(await failingCall(test, `what sled writes between two resets fails${where}`, once))
  } finally {
    await test.worker.close()
    await test.opener.close()
  }
  return [...rows, test.undone, test.again]
}

// Calls of an open and of several changes fail in turn, each by itself.
async function failingCall (test, fault, { call, errors = ['EIO', 'ENOSPC'], stickies = [false, true], pause }) {
  const row = { fault, tried: 0, lost: 0 }
  const outcomes = {}
  for (const scene of test.scenes) {
    for (const error of errors) {
      for (const sticky of stickies) {
        for (let nth = 1; ; nth++) {
          const { fired, outcome, wrong } = await failAt(test, scene, { call, nth, error, sticky, pause })
          if ((wrong.length || nth > MOST_CALLS) && ++row.lost <= 3) {
            console.error(`${call} number ${nth} ${error} ${sticky ? 'sticky' : 'once'} of ${scene.name}: ${outcome}: ${wrong.slice(0, 3).join('; ')}`)
          }
          if (!fired || nth > MOST_CALLS || row.lost >= ENOUGH) {
            break
          }
          row.tried++
          outcomes[outcome] = (outcomes[outcome] || 0) + 1
        }
      }
    }
  }
  console.log(`${fault}:`, outcomes)
  return row
}

async function failAt ({ place, worker, opener, undone, again }, { state, prepare }, asked) {
  const begun = Date.now()
  fs.rmSync(place, { recursive: true, force: true })
  prepare()
  const seen = await worker.ask({ ...asked, folder: place, state: copy(state) })
  if (seen.broken) {
    return { fired: true, outcome: 'crashed', wrong: seen.wrong }
  }
  again.tried++
  if (seen.unopened) {
    again.lost++
    again.lost === 1 && console.error(`${again.fault}: ${JSON.stringify(asked)}, ${seen.stage} refused: ${seen.codes}: ${seen.unopened}`)
    // The next case needs the store without this process.
    await worker.close()
  }
  if (seen.stage === 'write') {
    undone.tried++
    undone.lost += seen.undone.length ? 1 : 0
  }
  const after = await opener.ask({ folder: place, least: seen.state, most: seen.tried, change: true })
  return {
    fired: seen.fired,
    outcome: `${seen.stage} refused: ${seen.codes}${Date.now() - begun > SLOW ? ', slow' : ''}`,
    wrong: [...seen.wrong, ...after.codes.map((code) => `reopened: ${code}`), ...after.wrong]
  }
}

// A store on a full disk of 8 MB: reads go on, but for a few whose page sled was just about to split, and with room
// again all is there.
async function fullDisk (folder) {
  const row = { fault: 'a full disk of 8 MB', tried: 0, lost: 0 }
  const late = { fault: 'resets while new records are refused', tried: 0, lost: 0 }
  const opener = makeOpener()
  const sizes = { accounts: 20, records: 3000, lists: 0 }
  try {
    for (let seed = 1; seed <= 3; seed++) {
      const disk = path.join(folder, `disk${seed}`)
      fs.mkdirSync(disk)
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], { encoding: 'utf8', timeout: 10000 })
      if (mounted.status !== 0) {
        return [{ fault: row.fault, skipped: `mount: ${mounted.error ? mounted.error.code : mounted.stderr.trim()}` }]
      }
      try {
        const wrong = await fill(disk, path.join(folder, `journal${seed}`), { seed, sizes }, opener, late)
        row.tried++
        row.lost += wrong.length ? 1 : 0
        wrong.length && console.error(`${row.fault}: ${wrong.slice(0, 5).join('; ')}`)
      } finally {
        await opener.close()
        spawnSync('umount', [disk], { timeout: 10000 })
      }
    }
  } finally {
    await opener.close()
  }
  return [row, late]
}

async function fill (disk, journal, options, opener, late) {
  const room = path.join(disk, 'room')
  const store = path.join(disk, 'store')
  fs.writeFileSync(room, Buffer.alloc(options.seed * 512 * 1024))
  const ended = await runNode('fill.js', [JSON.stringify(options)], { SLED_PATH: store, ACKNOWLEDGED: journal, SLED_CACHE_MB: '1' })
  if (ended.code !== 0) {
    return [`fill.js: ${ended.signal || ended.code} ${ended.stderr}`]
  }
  const { state, moments } = readStates(fs.readFileSync(journal, 'utf8'), options.sizes)
  const most = copy(state)
  for (const kind in most) {
    most[kind] = most[kind].map((number) => number + 1)
  }
  const { wrong, late: refused, read, unread } = JSON.parse(ended.stdout)
  late.tried += options.sizes.accounts
  late.lost += refused
  // Nothing is acknowledged here: opened or refused, but never wrong.
  const full = await opener.ask({ folder: store, least: state, most })
  console.log(`a full disk: ${state.records.filter(Boolean).length} records, ${moments.map((moment) => moment.name)}; reads refused: ${unread.length} of ${read} (${unread.slice(0, 3)}); opened while full: ${full.opened} ${[...new Set(full.codes)]}`)
  fs.rmSync(room)
  fs.rmSync(path.join(disk, 'others'))
  const after = await opener.ask({ folder: store, least: state, most, change: true })
  // One page of sled's holds three or four of some ninety.
  const unreadable = unread.length * 20 > read ? [`reads refused: ${unread.length} of ${read}`] : []
  return [...wrong, ...unreadable, ...full.wrong, ...after.codes, ...after.wrong]
}
