// Between two acknowledgements, of resets one at a time, the store's log was written and then synced.
const fs = require('fs')
const path = require('path')
const { inFolder, missing, startResets } = require('./processes.js')

const RESETS = { count: 50, long: 2000 }

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
  const prefix = ['strace', '-f', '-y', '-o', trace, '-e', 'trace=write,pwrite64,fdatasync']
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
  return [
    { fault: 'acknowledged before its fdatasync returned', tried, lost: unsynced(lines, db) },
    { fault: 'the same without the fdatasync in the trace', tried, lost: unsynced(without, db), mustLose: true },
    { fault: 'the same with the fdatasync after the acknowledgement', tried, lost: unsynced(late, db), mustLose: true }
  ]
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
