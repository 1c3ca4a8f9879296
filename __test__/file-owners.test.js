/* eslint-env mocha */
const assert = require('assert')
const { spawnSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runNode, tool } = require('./helper.js')
const { until } = require('./helpers/times.js')

const OTHER = 65534

describe('owners and modes of files', () => {
  let folder, store
  before(function () {
    if (!process.getuid || process.getuid() !== 0) {
      this.skip()
    }
  })
  beforeEach(() => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    fs.chmodSync(folder, 0o755)
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('commands of root, with any umask, leave a store to its owner', async () => {
    const backup = path.join(folder, 'backup')
    await make(store)
    for (const args of [['stats'], ['verify', '--repair'], ['compact'], ['purge', '--older-than', '1d'],
      ['backup', backup], ['restore', backup, '--yes'], ['recover', '--invalidate-sessions', '--yes']]) {
      run(args, {}, 0o077)
      for (const name of ['.', ...fs.readdirSync(store, { recursive: true })]) {
        const { uid, gid } = fs.lstatSync(path.join(store, name))
        assert.deepStrictEqual([uid, gid], [OTHER, OTHER], `${name} after ${args[0]}`)
      }
    }
    assert.deepStrictEqual(await openAs(store), { opened: true })
    assert.strictEqual(fs.statSync(backup).uid, 0)
  }).timeout(60000)

  it('what is not root\'s is not given away, and no link is followed', async () => {
    await make(store)
    const file = path.join(folder, 'file')
    fs.writeFileSync(file, 'of root')
    fs.linkSync(file, path.join(store, 'second-name'))
    fs.symlinkSync(file, path.join(store, 'link'))
    run(['stats'])
    assert.strictEqual(fs.statSync(file).uid, 0)
  })

  it('store-not-permitted for a store that this user may not read, by every command', async () => {
    await (await addon.open({ path: store })).close()
    for (const args of [['stats'], ['verify'], ['recover', '--invalidate-sessions', '--yes'], ['compact'], ['list', 'l']]) {
      const { status, stderr } = run(args, { uid: OTHER, gid: OTHER })
      assert.strictEqual(status, 7)
      assert(stderr.startsWith('store-not-permitted: '), stderr)
      assert(stderr.includes(`the folder ${store} belongs to user 0 and has mode 700, and this process runs as user ${OTHER}`), stderr)
    }
  })

  it('a folder that is writable and another\'s is used, with a warning', async () => {
    fs.mkdirSync(store)
    fs.chmodSync(store, 0o770)
    fs.chownSync(store, 0, OTHER)
    const { child, ended } = runNode('hold.js', { env: { SLED_PATH: store }, uid: OTHER, gid: OTHER })
    const [answer] = await once(child, 'message')
    assert.deepStrictEqual(answer, { opened: true })
    child.send('go')
    const { stderr } = await ended
    assert(stderr.includes('DASHBOARD_SLED_READABLE') && stderr.includes(`${store} has mode 770 and belongs to user 0`), stderr)
    assert.strictEqual(fs.statSync(store).mode & 0o777, 0o770)
    for (const name of ['lock', 'guard', 'sled']) {
      assert.strictEqual(fs.statSync(path.join(store, name)).mode & 0o077, 0, name)
    }
  })

  it('root makes no store in the folder of another user, and neither a backup nor a restore', async () => {
    const target = path.join(folder, 'target')
    await (await addon.open({ path: store })).close()
    fs.mkdirSync(target)
    fs.chownSync(target, OTHER, OTHER)
    const opened = await addon.open({ path: store })
    const errors = [await rejection(addon.open({ path: target })), await rejection(opened.backup(target))]
    await opened.close()
    errors.push(await rejection(addon.restore({ folder: store, path: target })))
    for (const { message, code, detail } of errors) {
      assert.deepStrictEqual([message, code], ['store-not-permitted', 'ERR_STORE_PERMISSION'])
      assert(detail.includes(`${target} belongs to user ${OTHER}`), detail)
    }
    assert.deepStrictEqual(fs.readdirSync(target), [])
  })

  it('a backup into a folder that others may read is never theirs to read', async () => {
    const backup = path.join(folder, 'backup')
    fs.mkdirSync(backup)
    fs.chmodSync(backup, 0o755)
    const opened = await addon.open({ path: store })
    await opened.load(Array.from({ length: 4000 }, (_, i) => ({ record: `x/${i}`, contents: Buffer.alloc(1000, i) })))
    await opened.close()
    const mask = process.umask(0)
    const { child, ended } = runNode('backup.js', { args: [backup], env: { SLED_PATH: store } })
    process.umask(mask)
    await once(child, 'message')
    child.send('go')
    await until(() => fs.existsSync(path.join(backup, 'sled', 'journal')), { every: 1 })
    child.kill('SIGSTOP')
    // The copy is still being made, because its guard has the mark.
    assert.notStrictEqual(fs.readFileSync(path.join(backup, 'guard')).readUInt8(12), 0)
    for (const name of ['guard', 'lock', 'sled']) {
      assert.strictEqual(fs.statSync(path.join(backup, name)).mode & 0o077, 0, name)
    }
    child.kill('SIGKILL')
    await ended
  })

  // A store of the other user, with something in it.
  async function make (store) {
    fs.mkdirSync(store, { mode: 0o700 })
    fs.chownSync(store, OTHER, OTHER)
    assert.deepStrictEqual(await openAs(store), { opened: true })
  }

  async function openAs (store) {
    const { child, ended } = runNode('hold.js', { env: { SLED_PATH: store }, uid: OTHER, gid: OTHER })
    const [answer] = await once(child, 'message')
    child.send('go')
    await ended
    return answer
  }

  function run (args, options = {}, mask = 0o022) {
    const before = process.umask(mask)
    const done = spawnSync(process.execPath, [tool, ...args, '--store', store], { encoding: 'utf8', ...options })
    process.umask(before)
    return done
  }
})
