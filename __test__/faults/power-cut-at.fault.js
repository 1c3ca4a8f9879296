// The power goes at a call that writes, syncs, renames or removes something, of an open and of a reset: at every
// third one, or with `long` at each one.
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const Calls = require('./calls.js')
const { checked, copyStore, inFolder, kill, run: command, startResets } = require('./processes.js')
const { FILE_SYSTEMS, onVolume } = require('./volume.js')

const STRIDE = 3

module.exports = { run }

async function run ({ long }) {
  const rows = []
  for (const type of FILE_SYSTEMS) {
    const fault = `power cut at calls on ${type}`
    rows.push(await inFolder((folder, ledger) => onVolume(type, folder, fault, async (volume) => {
      const calls = new Calls(folder, path.join(volume.mount, 'store'))
      return cutEverywhere({ volume, calls, ledger, fault, stride: long ? 1 : STRIDE })
    })))
  }
  return rows.flat()
}

async function cutEverywhere (given) {
  const { calls, ledger, fault } = given
  fs.mkdirSync(calls.template)
  const nothing = ledger.save()
  const creation = await cutAtCalls(given, `${fault}: a creation`, { count: 0 }, nothing)
  fs.rmSync(calls.store, { recursive: true })
  const resets = startResets(calls.store, ledger, { inFlight: 8 })
  await resets.said()
  await sleep(300)
  await kill(resets)
  ledger.update()
  copyStore(calls.store, calls.template)
  const killed = ledger.save()
  return [
    creation,
    await cutAtCalls(given, `${fault}: an open after kill -9`, { count: 0 }, killed),
    await cutAtCalls(given, `${fault}: a reset and the close`, { count: 1, pause: 'resets' }, killed)
  ]
}

async function cutAtCalls ({ volume, calls, ledger, stride }, fault, options, saved) {
  let [tried, lost] = [0, 0]
  for (let n = 1; ; n += stride) {
    copyStore(calls.template, calls.store)
    command('sync', '--file-system', volume.mount)
    ledger.putBack(saved)
    const resets = await calls.startWithFault(n, false, 'SIGSTOP', options, ledger)
    if (!await stops(resets)) {
      assert.strictEqual((await resets.ended).code, 0)
      return { fault, tried, lost }
    }
    const call = calls.logged().pop()
    await volume.cut(resets)
    ledger.update()
    const problems = await checked(calls.store, ledger, { count: 1 })
    problems.forEach((problem) => console.error(`${fault}: call ${n} (${call}): ${problem}`))
    tried++
    lost += problems.length ? 1 : 0
  }
}

// Whether the process stands still before it ends.
async function stops ({ child }) {
  while (child.exitCode === null && child.signalCode === null) {
    const stat = readStat(child.pid)
    if (/\) T /.test(stat)) {
      return true
    }
    await sleep(2)
  }
  return false
}

function readStat (pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    // It has just gone.
    return ''
  }
}
