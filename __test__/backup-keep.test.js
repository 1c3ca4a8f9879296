/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { damage } = require('./helpers/damage.js')
const { makeFolder, rejection, runTool, useStore } = require('./helper.js')

const DATED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?$/

describe('backup --keep', function () {
  this.timeout(60000)
  let folder, store, backups
  beforeEach(async () => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
    backups = path.join(folder, 'deep', 'backups')
    const opened = await addon.open({ path: store })
    await opened.storage.write('dashboard/session/session_1', 'contents')
    await opened.close()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('makes a folder with the date, for its owner alone, and keeps the given number', async () => {
    const made = []
    for (let i = 0; i < 4; i++) {
      const { code, stdout } = await run('--keep', '2', '--json')
      const report = JSON.parse(stdout)
      made.push(report.folder)
      assert.deepStrictEqual([code, report.records, report.removed], [0, 1, i < 2 ? [] : [made[i - 2]]])
      assert.match(path.basename(report.folder), DATED)
    }
    assert.deepStrictEqual(list().sort(), made.slice(2).map((name) => path.basename(name)).sort())
    assert.strictEqual(fs.statSync(backups).mode & 0o777, 0o700)
    for (const name of made.slice(2)) {
      assert.strictEqual((await runTool(['verify', name])).code, 0)
    }
    const { stdout } = await run('--keep', '2')
    assert.match(stdout, /\nbackup written to .*Z(-\d+)? and verified\nremoved .*\n$/)
  })
  it('removes the oldest, and nothing else', async () => {
    const old = ['2026-01-01T00-00-00Z', '2026-01-01T00-00-00Z-2', '2026-01-01T00-00-00Z-10', '2026-02-01T00-00-00Z']
    const others = ['by-hand', '2026-01-01', 'a-file', 'cut-short.unfinished']
    others.filter((name) => name !== 'a-file').forEach((name) => fs.mkdirSync(path.join(backups, name), { recursive: true }))
    old.forEach((name) => fs.cpSync(store, path.join(backups, name), { recursive: true }))
    fs.writeFileSync(path.join(backups, 'a-file'), '')
    fs.symlinkSync(store, path.join(backups, '2025-01-01T00-00-00Z'))
    const { stdout } = await run('--keep', '3', '--json')
    assert.deepStrictEqual(JSON.parse(stdout).removed, old.slice(0, 2).map((name) => path.join(backups, name)))
    assert.deepStrictEqual(list().filter((name) => ![...others, '2025-01-01T00-00-00Z', path.basename(JSON.parse(stdout).folder)].includes(name)), old.slice(2).sort())
    assert(fs.existsSync(path.join(store, 'guard')))
  })
  it('neither counts nor removes a dated folder that does not hold a whole store', async () => {
    const notes = path.join(backups, '2020-01-01T00-00-00Z', 'notes')
    const parts = ['guard', 'sled'].map((name, i) => path.join(backups, `2020-01-02T00-00-0${i}Z`, name))
    const own = path.join(backups, 'photographs.removing')
    ;[path.dirname(notes), ...parts.map((part) => path.dirname(part)), own].forEach((name) => fs.mkdirSync(name, { recursive: true }))
    fs.writeFileSync(notes, 'mine')
    parts.forEach((part) => fs.cpSync(path.join(store, path.basename(part)), part, { recursive: true }))
    const made = []
    for (let i = 0; i < 3; i++) {
      const report = JSON.parse((await run('--keep', '2', '--json')).stdout)
      made.push(report.folder)
      assert.deepStrictEqual(report.removed, i < 2 ? [] : [made[0]])
    }
    assert.strictEqual(fs.readFileSync(notes, 'utf8'), 'mine')
    assert([...parts, own].every((name) => fs.existsSync(name)))
  })
  it('removes nothing, leaves nothing behind and ends with an error when the backup fails', async () => {
    await run('--keep', '1')
    const before = list()
    damage(store, { records: ['dashboard/session/session_1'] })
    const { code, stderr } = await run('--keep', '1')
    assert.deepStrictEqual([code, stderr.startsWith('store-damaged: '), list()], [6, true, before], stderr)
    fs.rmSync(store, { recursive: true })
    assert.deepStrictEqual([(await run('--keep', '1')).code, list()], [4, before])
  })
  it('does not count a backup that was cut short, and removes it unless it is still being made', async () => {
    const [cut, unknown] = ['2026-01-01T00-00-00Z.unfinished', '2026-01-02T00-00-00Z.removing'].map((name) => path.join(backups, name))
    const opened = await addon.open({ path: store })
    await opened.load(Array.from({ length: 300 }, (_, i) => ({ record: `large/${i}`, contents: Buffer.alloc(100000, i) })))
    await opened.close()
    let shown
    await runTool(['backup', backups, '--keep', '5', '--store', store], {
      meanwhile: (child) => {
        const timer = setInterval(() => {
          shown = fs.existsSync(backups) && list().find((name) => name.endsWith('.unfinished') && fs.existsSync(path.join(backups, name, 'sled', 'db')))
          if (shown) {
            child.kill('SIGKILL')
            clearInterval(timer)
          }
        }, 1)
        child.on('exit', () => clearInterval(timer))
      }
    })
    assert.deepStrictEqual(list(), [shown])
    fs.renameSync(path.join(backups, shown), cut)
    fs.mkdirSync(unknown)
    assert.strictEqual((await run('--keep', '5')).code, 0)
    assert.deepStrictEqual([list().length, DATED.test(list()[0])], [1, true])
  })
  it('removes nothing as root from a folder in which others may write', async function () {
    if (process.geteuid() !== 0) {
      return this.skip()
    }
    fs.mkdirSync(path.join(backups, '2026-01-01T00-00-00Z'), { recursive: true })
    for (const spoil of [() => fs.chownSync(backups, 65534, 65534), () => fs.chownSync(backups, 0, 0) || fs.chmodSync(backups, 0o777)]) {
      spoil()
      const { code, stderr } = await run('--keep', '1')
      assert.deepStrictEqual([code, stderr.startsWith(`store-not-permitted: users other than root may write to ${backups} `)], [7, true], stderr)
      assert.deepStrictEqual(list(), ['2026-01-01T00-00-00Z'])
    }
  })
  it('makes a folder that is not a backup itself; verify and restore name the newest one in it', async () => {
    fs.mkdirSync(path.join(backups, '2999-01-01T00-00-00Z'), { recursive: true })
    for (const number of ['1 backup', '2 backups', '3 backups']) {
      const newest = JSON.parse((await run('--keep', '5', '--json')).stdout).folder
      for (const command of [['verify', backups], ['restore', backups, '--yes', '--store', store], ['restore', backups, '--dry-run', '--store', store]]) {
        const { code, stdout, stderr } = await runTool(command)
        assert.deepStrictEqual([code, stdout, stderr], [4, '', `store-missing: ${backups} is not a store itself, and holds ${number}; the newest is ${newest}; name one of them\n`])
      }
    }
  })
  it('takes a whole number from 1', async () => {
    for (const keep of ['0', '-1', '1.5', 'x', '']) {
      const { code, stderr } = await run(`--keep=${keep}`)
      assert.deepStrictEqual([code, stderr.startsWith('error: option \'--keep <number>\' argument')], [2, true], stderr)
    }
    const opened = await addon.open({ path: store })
    for (const keep of [0, -1, 1.5, '2', null, NaN]) {
      assert.strictEqual((await rejection(opened.backup(backups, { keep }))).message, 'invalid-keep')
    }
    assert.strictEqual((await rejection(opened.backup(backups, { kep: 2 }))).message, 'invalid-option')
    await opened.close()
    assert(!fs.existsSync(backups))
  })

  for (const keep of [[], ['--keep', '3']]) {
    it(`into the store itself, or a folder within it, is refused${keep.length ? '' : ' without it as well'}, and nothing is made`, async () => {
      const link = path.join(folder, 'link')
      fs.symlinkSync(store, link)
      const before = namesIn(store)
      for (const target of [store, path.join(store, 'inside'), path.join(store, 'sled', 'deep', 'inside'), link, path.join(link, 'inside')]) {
        const { code, stdout, stderr } = await runTool(['backup', target, ...keep, '--store', store])
        assert.deepStrictEqual([code, stdout, stderr], [2, '', `invalid-folder: ${target} is the store in ${store} or lies within it, and a backup there would be lost with the store; name a folder outside of it\n`])
        assert.deepStrictEqual(namesIn(store), before)
      }
      assert.strictEqual((await runTool(['backup', `${store}-2`, ...keep, '--store', store])).code, 0)
    })
  }
  it('into a backup or another store is refused, and nothing is made', async () => {
    assert.strictEqual((await runTool(['backup', backups, '--store', store])).code, 0)
    const before = list()
    const { code, stdout, stderr } = await run('--keep', '3')
    assert.deepStrictEqual([code, stdout, stderr], [2, '', `invalid-folder: ${backups} holds a store or a backup itself, so no dated backups are made in it; name another folder\n`])
    assert.deepStrictEqual(list(), before)
  })

  function run (...args) {
    return runTool(['backup', backups, ...args, '--store', store])
  }

  function list () {
    return fs.readdirSync(backups).sort()
  }

  // Names of all files but the snapshots, which are made again when a store is opened.
  function namesIn (folder) {
    return fs.readdirSync(folder, { recursive: true }).filter((name) => !name.includes('snap.')).sort()
  }
})

describe('a second backup', function () {
  this.timeout(60000)
  const store = useStore()

  it('into a folder that holds a store says so', async () => {
    const backup = path.join(store.folder, 'backup')
    const { folder, removed } = await store.storage.backup(backup)
    assert.deepStrictEqual([folder, removed], [backup, []])
    const { code, detail } = await rejection(store.storage.backup(backup))
    assert.deepStrictEqual([code, detail.startsWith(`${backup} holds a store already, and a backup never replaces one; `)], ['ERR_STORE_FOREIGN', true])
    fs.mkdirSync(path.join(store.folder, 'other'))
    fs.writeFileSync(path.join(store.folder, 'other', 'file'), '')
    const other = await rejection(store.storage.backup(path.join(store.folder, 'other')))
    assert(other.detail.includes('is not empty and holds no store (found file)'), other.detail)
  })
  it('of a store while another one runs is refused, and leaves the first alone', async () => {
    const backups = path.join(store.folder, 'backups')
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => store.storage.backup(backups, { keep: 5 })))
    const made = answers.filter(({ status }) => status === 'fulfilled').map(({ value }) => path.basename(value.folder))
    // A backup that begins after the first one has ended is made as well.
    answers.filter(({ reason }) => reason).forEach(({ reason }) => {
      assert.deepStrictEqual([reason.message, reason.code, reason.detail], ['backup-running', 'ERR_BACKUP_RUNNING', 'a backup of this store is still running; wait for it, then make another one'])
    })
    assert.deepStrictEqual(fs.readdirSync(backups).sort(), made.sort())
  })
  it('holds up nothing else in the process: no call to the system is made in place', async () => {
    const backups = path.join(store.folder, 'backups')
    const names = Object.keys(fs).filter((name) => name.endsWith('Sync'))
    const originals = names.map((name) => fs[name])
    const called = []
    names.forEach((name, i) => {
      fs[name] = function (...args) {
        called.push(name)
        return originals[i].apply(this, args)
      }
    })
    try {
      await store.storage.backup(backups, { keep: 1 })
      await store.storage.backup(backups, { keep: 1 })
      await rejection(store.storage.backup(path.join(store.folder, 'store', 'inside'), { keep: 1 }))
    } finally {
      names.forEach((name, i) => { fs[name] = originals[i] })
    }
    assert.deepStrictEqual([called, fs.readdirSync(backups).length], [[], 1])
  })
  it('of a running dashboard keeps the given number of backups', async () => {
    const backups = path.join(store.folder, 'backups')
    const first = await store.storage.backup(backups, { keep: 1 })
    const second = await store.storage.backup(backups, { keep: 1 })
    assert.deepStrictEqual([second.removed, fs.readdirSync(backups)], [[first.folder], [path.basename(second.folder)]])
  })
})
