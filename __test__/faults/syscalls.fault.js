// kill -9 at every call that writes, syncs, renames or removes something, of an open and of a reset.
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const Calls = require('./calls.js')
const { checked, copyStore, inFolder, kill, missing, startResets } = require('./processes.js')

// Everything that could change a file, more than the store is known to use.
const CALLS = 'io_submit,write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,fsync,fdatasync,sync_file_range,sync,syncfs,msync,truncate,ftruncate,fallocate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,chmod,fchmod,fchmodat'
const NEVER = 1000000

module.exports = { run }

async function run ({ long }) {
  const skipped = missing('gcc', 'strace')
  if (skipped) {
    return [{ fault: 'kill at each call', skipped }]
  }
  const rows = []
  for (let variant = 0; variant < (long ? 4 : 1); variant++) {
    rows.push(...await inFolder((folder, ledger) => killEverywhere(new Calls(folder, path.join(folder, 'store')), ledger, variant, long)))
  }
  return rows
}

async function killEverywhere (calls, ledger, variant, long) {
  const rows = []
  const name = (what) => variant ? `${what}, variant ${variant}` : what
  const each = async (what, options, saved) => {
    for (const torn of long ? [false, true] : [false]) {
      rows.push(await killAtEachCall(name(`kill at each call of ${what}${torn ? ', a write half done' : ''}`), { calls, ledger, saved, torn }, options))
    }
  }
  const nothing = ledger.save()
  fs.mkdirSync(calls.template)
  await each('a creation', { count: 0 }, nothing)

  // A creation that was cut short, at another place for each variant: sled's files are there.
  fs.rmSync(calls.store, { recursive: true })
  const { signal } = await calls.killAt(22 + 4 * variant, false, { count: 0 }, ledger)
  assert.strictEqual(signal, 'SIGKILL')
  copyStore(calls.store, calls.template)
  await each('a creation after one that was cut short', { count: 0 }, nothing)

  fs.rmSync(calls.store, { recursive: true })
  const resets = startResets(calls.store, ledger, { inFlight: 8 })
  await resets.said()
  await sleep(200 + 300 * variant)
  await kill(resets)
  ledger.update()
  copyStore(calls.store, calls.template)
  const killed = ledger.save()
  await each('an open after kill -9', { count: 0 }, killed)
  await each('a reset and the close', { count: 1, pause: 'resets' }, killed)
  return rows
}

async function killAtEachCall (fault, { calls, ledger, saved, torn }, options) {
  copyStore(calls.template, calls.store)
  await assertAllAreSeen(calls, options, ledger)
  let lost = 0
  for (let n = 1; ; n++) {
    copyStore(calls.template, calls.store)
    ledger.putBack(saved)
    const { code, signal, call } = await calls.killAt(n, torn, options, ledger)
    if (signal !== 'SIGKILL') {
      assert.strictEqual(code, 0)
      return { fault, tried: n - 1, lost }
    }
    ledger.update()
    // It takes further resets as well.
    const problems = await checked(calls.store, ledger, { count: 1 })
    problems.forEach((problem) => console.error(`${fault}: call ${n} (${call}): ${problem}`))
    lost += problems.length ? 1 : 0
  }
}

// A call that the library does not count would never be killed, so strace has to find the same ones.
async function assertAllAreSeen (calls, { count }, ledger) {
  fs.rmSync(calls.log, { force: true })
  fs.writeFileSync(calls.plan, `${NEVER} 0`)
  const prefix = ['strace', '-f', '-y', '-s', '8', '-o', calls.trace, '-e', `trace=${CALLS}`]
  const { code } = await startResets(calls.store, ledger, { count }, { env: calls.env, prefix }).ended
  const counted = calls.logged().length
  const traced = fs.readFileSync(calls.trace, 'utf8').split('\n')
    .filter((line) => line.includes(calls.store) && !/^\d+ +(<\.\.\.|\+\+\+|---)/.test(line)).length
  if (code || !counted || counted !== traced) {
    throw new Error(`strace saw ${traced} calls, the library ${counted}, end ${code}`)
  }
}
