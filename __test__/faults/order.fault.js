// By the calls of a running store: between two acknowledgements, of resets one at a time, the journal was written and then
// synced; each piece of sled's log is synced before its thread goes on (src/store/write_back.rs); and the journal begins
// anew behind a sync of sled's log.
const fs = require('fs')
const path = require('path')
const { inFolder, missing, startResets } = require('./processes.js')

// So many fill the journal.
const RESETS = { count: 4000, long: 6000 }

module.exports = { run }

async function run ({ long }) {
  const skipped = missing('strace')
  if (skipped) {
    return [{ fault: 'acknowledged before its fdatasync returned', skipped }]
  }
  return inFolder((folder, ledger) => orderOfCalls(folder, ledger, long ? RESETS.long : RESETS.count))
}

async function orderOfCalls (folder, ledger, count) {
  const store = path.join(folder, 'store')
  const trace = path.join(folder, 'trace')
  const prefix = ['strace', '-f', '-y', '-o', trace, '-e', 'trace=write,pwrite64,lseek,fdatasync,sync_file_range']
  const resets = startResets(store, ledger, { count }, { prefix })
  await resets.said()
  const { code } = await resets.ended
  if (code || ledger.update() !== count) {
    throw new Error(`${ledger.resets} of ${count} resets, end ${code}`)
  }
  const lines = fs.readFileSync(trace, 'utf8').split('\n')
  const db = `${path.join(store, 'sled', 'db')}>`
  const journal = `${path.join(store, 'sled', 'journal')}>`
  const tried = lines.filter((line) => isAcknowledgement(callOf(line))).length
  const without = lines.filter((line) => !/\bfdatasync\b/.test(line))
  const late = afterItsAcknowledgement(lines, journal)
  if (lines.some((line) => line.includes('sync_file_range'))) {
    throw new Error('sled was not led to src/store/write_back.rs by the linker')
  }
  const pieces = lines.filter((line) => isPiece(line, db)).length
  const rounds = lines.filter((line) => beginsAnew(line, journal)).length
  if (pieces < 2 || rounds < 2) {
    throw new Error(`${pieces} pieces of the log were written, and the journal began ${rounds} times`)
  }
  const row = (fault, tried, lost, mustLose) => ({ fault, tried, lost, ...(mustLose && { mustLose }) })
  return [
    row('acknowledged before its fdatasync returned', tried, unsynced(lines, journal)),
    row('the same without the fdatasync in the trace', tried, unsynced(without, journal), true),
    row('the same with the fdatasync after the acknowledgement', tried, unsynced(late, journal), true),
    row('sled goes on before a piece of its log is synced', pieces, unsyncedPieces(lines, db)),
    row('the same without the fdatasync in the trace', pieces, unsyncedPieces(without, db), true),
    // The first is the one of the open, which finds nothing to give to sled.
    row('the journal begins anew before sled is synced', rounds - 1, earlyRounds(lines, journal, db) - 1),
    row('the same without the fdatasync in the trace', rounds - 1, earlyRounds(without, journal, db) - 1, true)
  ]
}

// How many threads wrote a piece of sled's log, and then did anything else but sync it.
function unsyncedPieces (lines, db) {
  const written = new Set()
  let lost = 0
  for (const line of lines) {
    const thread = threadOf(line)
    if (written.has(thread) && !line.includes('<... pwrite64 resumed>')) {
      written.delete(thread)
      lost += line.includes('fdatasync(') && line.includes(db) ? 0 : 1
    }
    if (isPiece(line, db)) {
      written.add(thread)
    }
  }
  return lost + written.size
}

// How often a thread went back to the start of the journal without having synced sled's log right before.
function earlyRounds (lines, journal, db) {
  const last = new Map()
  let lost = 0
  for (const line of lines) {
    const thread = threadOf(line)
    if (beginsAnew(line, journal)) {
      lost += last.get(thread) === 'synced' ? 0 : 1
    }
    const resumes = line.includes('<... fdatasync resumed>') && last.get(thread) === 'syncing'
    const syncs = line.includes('fdatasync(') && line.includes(db)
    last.set(thread, (syncs || resumes) && / = 0$/.test(line) ? 'synced' : syncs ? 'syncing' : 'other')
  }
  return lost
}

function threadOf (line) {
  return line.split(' ', 1)[0]
}

function callOf (line) {
  return line.replace(/^\d+ +/, '')
}

function isPiece (line, db) {
  return /pwrite64\(/.test(line) && line.includes(db)
}

function beginsAnew (line, journal) {
  return /lseek\(/.test(line) && line.includes(`${journal}, 0, SEEK_SET`)
}

// How many acknowledgements had no fdatasync that began after a write to the journal and returned 0.
function unsynced (lines, journal) {
  let [written, synced, lost] = [false, false, 0]
  const begun = new Map()
  for (const line of lines) {
    const [, thread, call] = /^(\d+) +(.*)$/.exec(line) || []
    if (!call) {
      continue
    }
    const isSync = call.startsWith('fdatasync(') && call.includes(journal)
    if (/^write\(/.test(call) && call.includes(journal)) {
      written = true
    } else if (isSync && call.endsWith('<unfinished ...>')) {
      begun.set(thread, written)
    } else if (isSync) {
      synced = synced || (written && / = 0$/.test(call))
    } else if (call.startsWith('<... fdatasync resumed>')) {
      synced = synced || (begun.get(thread) === true && / = 0$/.test(call))
      begun.delete(thread)
    } else if (isAcknowledgement(call)) {
      lost += synced ? 0 : 1
      written = synced = false
      begun.clear()
    }
  }
  return lost
}

// Of a reset, or of a write before the first one; a key is only noted.
function isAcknowledgement (call) {
  return /^write\(3<[^>]*>, "\[\\"(account|session|reset)\\"/.test(call)
}

// A trace as a store would leave it that syncs behind its acknowledgements.
function afterItsAcknowledgement (lines, journal) {
  const moved = []
  let held = []
  for (const line of lines) {
    if (/fdatasync/.test(line) && (line.includes(journal) || line.includes('resumed'))) {
      held.push(line)
    } else {
      moved.push(line)
      if (isAcknowledgement(callOf(line))) {
        moved.push(...held)
        held = []
      }
    }
  }
  return moved
}
