// kill -9 at calls of a restore and of a compaction: at each one that changes something from when the plan of the swap is
// written, and at some before. The next open has to show the whole old store or the whole new one.
const assert = require('assert')
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { onOverlay } = require('../helpers/mount.js')
const { inFolder, missing, withCleanup } = require('./processes.js')
const { compile } = require('./shim.js')

const NEVER = 1000000
// The first call of the swap itself, as kill-at.c sees it.
const FIRST = '/store/swap'
const SYNCS = ['fsync', 'fdatasync']
const AT_ONCE = 4
const NAMES = { restore: 'restore', compact: 'compaction' }

module.exports = { run }

async function run ({ long }) {
  const skipped = missing('gcc', 'mount')
  if (skipped) {
    return [{ fault: 'kill at each call of a swap', skipped }]
  }
  // Nearly every open here finishes a swap, and says so.
  const listeners = process.listeners('warning')
  process.removeAllListeners('warning')
  const listenAgain = () => listeners.forEach((listener) => process.on('warning', listener))
  return withCleanup(() => killEverywhere(long), listenAgain)
}

function killEverywhere (long) {
  return inFolder(async (folder) => {
    const kills = new Kills(folder, long)
    await kills.fill()
    const rows = []
    for (const what of ['restore', 'compact']) {
      for (const where of ['', ', where a folder cannot be renamed']) {
        rows.push(await kills.row(what, `kill at each call of a ${NAMES[what]}${where}`, { isOverlay: Boolean(where) }))
      }
    }
    rows.push(await kills.row('restore', 'kill at each call of a restore into an empty folder', { isEmpty: true }))
    rows.push(await kills.row('restore', 'the same without the plan', { withoutPlan: true }))
    return rows
  })
}

class Kills {
  constructor (folder, long) {
    this.folder = folder
    this.long = long
    this.template = path.join(folder, 'template')
    this.library = compile('kill-at', folder)
    this.count = 0
  }

  // A store that becomes smaller when it is compacted, and a backup.
  async fill () {
    for (const [name, text] of [['backup', 'the backup'], ['store', 'the store']]) {
      const store = await addon.open({ path: path.join(this.template, name) })
      await store.load(Array.from({ length: 60 }, (_, i) => ({ record: `gone/${i}`, contents: Buffer.alloc(20000, i) })))
      await Promise.all(Array.from({ length: 60 }, (_, i) => store.storage.delete(`gone/${i}`)))
      await store.load(Array.from({ length: 40 }, (_, i) => ({ record: `kept/${i}`, contents: Buffer.from(`${text} ${i}`) })))
      await store.storage.write('dashboard/account/account_1', JSON.stringify({ object: 'account', sessionKey: text, sessionKeyNumber: 1 }))
      await store.close()
    }
  }

  async row (what, fault, options) {
    const all = await this.attempt(what, { ...options, n: NEVER })
    const swap = await this.attempt(what, { ...options, n: NEVER, from: FIRST })
    for (const { code, problem } of [all, swap]) {
      assert.deepStrictEqual({ code, problem }, { code: 0, problem: undefined })
    }
    const before = all.log.length - swap.log.length
    assert(before > 10 && swap.log.length > 20, `${before} ${swap.log.length}`)
    const few = this.long ? 1 : Math.ceil(before / 3)
    // A kill before a sync leaves the same as one before the next change.
    const changes = swap.log.map((call, i) => ({ ...options, from: FIRST, n: i + 1, call }))
      .filter(({ call }) => this.long || !SYNCS.includes(call.split(' ')[0]))
    const earlier = Array.from({ length: before }, (_, i) => ({ ...options, n: i + 1 })).filter((_, i) => i % few === 0)
    const tries = options.withoutPlan ? changes : [...earlier, ...changes]
    const tried = tries.length
    let lost = 0
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let given = tries.shift(); given; given = tries.shift()) {
        const { signal, problem, log } = await this.attempt(what, given)
        assert.strictEqual(signal, 'SIGKILL', `${fault}: ${given.n} ${given.call}`)
        if (problem) {
          lost++
          if (!options.withoutPlan) {
            console.error(`${fault}: call ${given.n} (${log.pop()}): ${problem}`)
          }
        }
      }
    }))
    return { fault, tried, lost, mustLose: Boolean(options.withoutPlan) }
  }

  // Kills at call `n`, counted from the first one whose path has `from`, and looks at what the next open shows.
  async attempt (what, options) {
    const own = path.join(this.folder, `try-${++this.count}`)
    const template = path.join(own, 'template')
    fs.cpSync(this.template, template, { recursive: true })
    if (options.isEmpty) {
      fs.rmSync(path.join(template, 'store'), { recursive: true })
      fs.mkdirSync(path.join(template, 'store'))
    }
    let found
    const work = async (folder) => { found = await this.attemptIn(folder, own, what, options) }
    if (options.isOverlay) {
      const skipped = await onOverlay(template, work)
      assert(!skipped, skipped)
    } else {
      await work(template)
    }
    fs.rmSync(own, { recursive: true })
    return found
  }

  async attemptIn (folder, own, what, { n, from, withoutPlan, isEmpty }) {
    const store = path.join(folder, 'store')
    const [plan, log] = ['plan', 'log'].map((name) => path.join(own, name))
    fs.writeFileSync(plan, `${n} 0`)
    const ended = await end(spawn(process.execPath, [path.join(__dirname, 'fixtures', 'swap.js'), what, store, path.join(folder, 'backup')], {
      env: { ...process.env, LD_PRELOAD: this.library, FAULT_FOLDER: store, FAULT_PLAN: plan, FAULT_LOG: log, FAULT_FROM: from || '' },
      stdio: 'inherit',
      timeout: 120000
    }))
    if (withoutPlan && n !== NEVER) {
      fs.rmSync(path.join(store, 'swap'), { force: true })
    }
    const look = isEmpty ? wrongInEmpty(store, path.join(folder, 'backup'), ended.code === 0) : wrong(store, what, ended.code === 0)
    const problem = await look.catch((error) => `${error.code} ${error.message} ${error.detail || ''}`)
    return { ...ended, problem, log: fs.readFileSync(log, 'utf8').split('\n').filter(Boolean) }
  }
}

function end (child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
}

// Returns the problem of the store, or undefined.
async function wrong (folder, what, isDone) {
  const texts = [await textOf(folder)]
  const rest = fs.readdirSync(folder).filter((name) => !['guard', 'lock', 'sled'].includes(name))
  for (const name of rest) {
    texts.push(await textOf(path.join(folder, name)))
  }
  const wanted = what === 'compact' ? [['the store']] : [['the store'], ['the backup', 'the store']]
  const may = isDone ? wanted.slice(-1) : wanted
  return may.some((texts_) => String(texts_) === String(texts)) ? undefined : `it shows ${texts.join(', ')} and has ${rest}`
}

// The same where there was no store: the whole new one, or none and no other in its place; then the same restore works.
async function wrongInEmpty (folder, backup, isDone) {
  // Once it has begun an open that may create makes no store of it.
  const create = fs.existsSync(path.join(folder, 'restoring'))
  const isPlanned = isDone || fs.existsSync(path.join(folder, 'swap')) || fs.existsSync(path.join(folder, 'guard'))
  const refused = await addon.open({ path: folder, create }).then((store) => store.close(), ({ code }) => code)
  const wanted = isPlanned ? undefined : create ? 'ERR_STORE_UNFINISHED' : 'ERR_STORE_MISSING'
  if (refused !== wanted) {
    return `it is refused with ${refused} instead of ${wanted}`
  }
  if (refused) {
    await addon.restore({ path: folder, folder: backup })
  }
  const text = await textOf(folder)
  return text === 'the backup' ? undefined : `it shows ${text}`
}

// Returns the text that names the store in `folder`, if the store is whole.
async function textOf (folder) {
  const store = await addon.open({ path: folder })
  try {
    const { problems, records } = await store.verify()
    const text = (await store.storage.read('kept/0')).slice(0, -2)
    assert.strictEqual(await store.storage.read('kept/39'), `${text} 39`)
    assert.deepStrictEqual({ problems, records }, { problems: 0, records: 41 })
    const { sessionKey } = JSON.parse(await store.storage.read('dashboard/account/account_1'))
    // A restore has ended the sessions before it shows the backup.
    assert.strictEqual(sessionKey === text, text === 'the store')
    return text
  } finally {
    await store.close()
  }
}
