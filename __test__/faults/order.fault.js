// By the calls of a running store: between two acknowledgements, of resets one at a time, the journal was written by a call
// that returns when the drive has it (src/store/sled/folder/journal/direct_io.rs); each piece of sled's log is synced before its thread goes
// on (src/store/sled/database/sync_file_range.rs); and the journal begins anew behind a sync of sled's log.
const fs = require('fs')
const path = require('path')
const { inFolder, missing, startResets } = require('./processes.js')

// Enough resets to fill the journal.
const RESETS = { count: 4000, long: 6000 }

module.exports = { run }

async function run ({ long }) {
  const skipped = missing('strace')
  if (skipped) {
    return [{ fault: 'acknowledged before the journal was written', skipped }]
  }
  return inFolder((folder, ledger) => orderOfCalls(folder, ledger, long ? RESETS.long : RESETS.count))
}

async function orderOfCalls (folder, ledger, count) {
  const store = path.join(folder, 'store')
  const trace = path.join(folder, 'trace')
  const prefix = ['strace', '-f', '-y', '-o', trace, '-e', 'trace=openat,write,pwrite64,fdatasync,sync_file_range,io_submit,io_getevents']
  const resets = startResets(store, ledger, { count }, { prefix })
  await resets.said()
  const { code } = await resets.ended
  if (code || ledger.update() !== count) {
    throw new Error(`${ledger.resets} of ${count} resets, end ${code}`)
  }
  const calls = readCalls(fs.readFileSync(trace, 'utf8').split('\n'))
  const db = `${path.join(store, 'sled', 'db')}>`
  const journal = path.join(store, 'sled', 'journal')
  if (!calls.some(({ call }) => call.startsWith('openat(') && call.includes(`"${journal}", `) && /O_DSYNC.*O_DIRECT|O_DIRECT.*O_DSYNC/.test(call))) {
    throw new Error('the journal was not opened for writes that are durable by themselves')
  }
  if (calls.some(({ call }) => call.startsWith('sync_file_range'))) {
    throw new Error('sled was not led to src/store/sled/database/sync_file_range.rs by the linker')
  }
  const isWritten = ({ call }) => (isWrite(call, `${journal}>`) && / = [1-9]\d*$/.test(call)) || /^io_getevents\(.* = 1$/.test(call)
  const isPiece = ({ call }) => isWrite(call, db)
  const beginsAnew = ({ call }) => isWrite(call, `${journal}>`) && /, 0\) = \d+$/.test(call)
  const isSynced = ({ call }) => call.startsWith('fdatasync(') && call.includes(db) && call.endsWith(' = 0')
  const without = calls.filter((one) => !isSynced(one))
  const tried = calls.filter(isAcknowledgement).length
  const pieces = calls.filter(isPiece).length
  const rounds = calls.filter(beginsAnew).length
  if (pieces < 2 || rounds < 2) {
    throw new Error(`${pieces} pieces of the log were written, and the journal began ${rounds} times`)
  }
  const row = (fault, tried, lost, mustLose) => ({ fault, tried, lost, ...(mustLose && { mustLose }) })
  return [
    row('acknowledged before the journal was written', tried, unwritten(calls, isWritten)),
    row('the same without the writes in the trace', tried, unwritten(calls.filter((one) => !isWritten(one)), isWritten), true),
    row('the same with the writes after the acknowledgement', tried, unwritten(afterItsAcknowledgement(calls, isWritten), isWritten), true),
    row('sled goes on before a piece of its log is synced', pieces, notFollowed(calls, isPiece, isSynced)),
    row('the same without the fdatasync in the trace', pieces, notFollowed(without, isPiece, isSynced), true),
    // The first is that of a new store.
    row('the journal begins anew before sled is synced', rounds - 1, notFollowed(calls.toReversed(), beginsAnew, isSynced) - 1),
    row('the same without the fdatasync in the trace', rounds - 1, notFollowed(without.toReversed(), beginsAnew, isSynced) - 1, true)
  ]
}

// The calls of a trace, when they ended; an acknowledgement when it began.
function readCalls (lines) {
  const begun = new Map()
  const starts = new Map()
  const calls = []
  for (const [i, line] of lines.entries()) {
    const [, thread, text] = /^(\d+) +(.*)$/.exec(line) || []
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(text) || []
    const call = rest === undefined ? text : begun.get(thread) + rest
    if (text?.endsWith(' <unfinished ...>')) {
      begun.set(thread, text.replace(/ <unfinished \.\.\.>$/, ''))
    }
    // A call that a thread waits for began when it was submitted.
    if (rest === undefined && !call?.startsWith('io_getevents(')) {
      starts.set(thread, i)
    }
    if (call && isAcknowledgement({ call }) ? rest === undefined : call && !call.endsWith('<unfinished ...>')) {
      calls.push({ thread, call, began: starts.get(thread), at: i })
    }
  }
  return calls
}

// After how many of `these` its thread did anything else next but one of `those`.
function notFollowed (calls, these, those) {
  const open = new Set()
  let lost = 0
  for (const one of calls) {
    if (open.delete(one.thread)) {
      lost += those(one) ? 0 : 1
    }
    if (these(one)) {
      open.add(one.thread)
    }
  }
  return lost + open.size
}

function isWrite (call, file) {
  return call.startsWith('pwrite64(') && call.includes(file)
}

// Counts acknowledgements without a write of the journal that began and ended since the last one.
function unwritten (calls, isWritten) {
  let [written, lost, last] = [false, 0, 0]
  for (const one of calls) {
    if (isAcknowledgement(one)) {
      lost += written ? 0 : 1
      written = false
      last = one.at
    }
    written = written || (isWritten(one) && one.began > last)
  }
  return lost
}

// Of a reset, or of a write before the first one; a key is only noted.
function isAcknowledgement ({ call }) {
  return /^write\(3<[^>]*>, "\[\\"(account|session|reset)\\"/.test(call)
}

// A trace as a store would leave it that writes behind its acknowledgements.
function afterItsAcknowledgement (calls, isWritten) {
  const moved = []
  let held = []
  for (const one of calls) {
    if (isWritten(one)) {
      held.push(one)
    } else {
      moved.push(one)
      if (isAcknowledgement(one)) {
        moved.push(...held)
        held = []
      }
    }
  }
  return moved
}
