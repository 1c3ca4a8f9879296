// Between two acknowledgements, of resets one at a time, the store's log was written and then synced. A piece of it that ends
// a segment is synced at once (src/store/write_back.rs).
const fs = require('fs')
const path = require('path')
const { inFolder, missing, startResets } = require('./processes.js')

// So many fill several segments.
const RESETS = { count: 1500, long: 2000 }
const SEGMENT = 512 * 1024

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
  const prefix = ['strace', '-f', '-y', '-o', trace, '-e', 'trace=write,pwrite64,fdatasync,sync_file_range']
  const resets = startResets(store, ledger, { count }, { prefix })
  await resets.said()
  const { code } = await resets.ended
  if (code || ledger.update() !== count) {
    throw new Error(`${ledger.resets} of ${count} resets, end ${code}`)
  }
  const lines = fs.readFileSync(trace, 'utf8').split('\n')
  const db = `${path.join(store, 'sled', 'db')}>`
  const tried = lines.filter((line) => isAcknowledgement(line.replace(/^\d+ +/, ''))).length
  const without = lines.filter((line) => !/\bfdatasync\b/.test(line))
  const late = afterItsAcknowledgement(lines, db)
  if (lines.some((line) => line.includes('sync_file_range'))) {
    throw new Error('sled was not led to src/store/write_back.rs by the linker')
  }
  const ends = lines.filter((line) => endsSegment(line, db)).length
  if (ends < 2) {
    throw new Error(`${ends} pieces of the log ended a segment`)
  }
  // A sync of the end of a segment is not one of a commit.
  const enders = new Set(lines.filter((line) => endsSegment(line, db)).map(threadOf))
  const ofCommits = lines.filter((line) => !/\bfdatasync\b/.test(line) || !enders.has(threadOf(line)))
  return [
    { fault: 'acknowledged before its fdatasync returned', tried, lost: unsynced(ofCommits, db) },
    { fault: 'the same without the fdatasync in the trace', tried, lost: unsynced(without, db), mustLose: true },
    { fault: 'the same with the fdatasync after the acknowledgement', tried, lost: unsynced(late, db), mustLose: true },
    { fault: 'sled goes on before the end of a segment is synced', tried: ends, lost: unsyncedEnds(lines, db) },
    { fault: 'the same without the fdatasync in the trace', tried: ends, lost: unsyncedEnds(without, db), mustLose: true }
  ]
}

// How many threads of sled wrote the end of a segment, and then did anything else but sync the log.
function unsyncedEnds (lines, db) {
  const written = new Set()
  let lost = 0
  for (const line of lines) {
    const thread = threadOf(line)
    if (written.has(thread) && !line.includes('<... pwrite64 resumed>')) {
      written.delete(thread)
      lost += line.includes('fdatasync(') && line.includes(db) ? 0 : 1
    }
    if (endsSegment(line, db)) {
      written.add(thread)
    }
  }
  return lost + written.size
}

function threadOf (line) {
  return line.split(' ', 1)[0]
}

function endsSegment (line, db) {
  const [, length, offset] = /pwrite64\(.*, (\d+), (\d+)(?:\)| <unfinished)/.exec(line) || []
  return length !== undefined && line.includes(db) && (Number(offset) + Number(length)) % SEGMENT === 0
}

// How many acknowledgements had no fdatasync that began after a write to the log and returned 0.
function unsynced (lines, db) {
  let [written, synced, lost] = [false, false, 0]
  const begun = new Map()
  for (const line of lines) {
    const [, thread, call] = /^(\d+) +(.*)$/.exec(line) || []
    if (!call) {
      continue
    }
    const isSync = call.startsWith('fdatasync(') && call.includes(db)
    if (/^pwrite64\(/.test(call) && call.includes(db)) {
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
function afterItsAcknowledgement (lines, db) {
  const moved = []
  let held = []
  for (const line of lines) {
    if (/fdatasync/.test(line) && (line.includes(db) || line.includes('resumed'))) {
      held.push(line)
    } else {
      moved.push(line)
      if (isAcknowledgement(line.replace(/^\d+ +/, ''))) {
        moved.push(...held)
        held = []
      }
    }
  }
  return moved
}
