/* eslint-env mocha */
const assert = require('assert')
const { execFileSync, spawnSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection, runNode, tool } = require('./helper.js')
const { assertAllCommands } = require('./helpers/commands.js')
const { mount, skipIf, unmount } = require('./helpers/mount.js')

const reading = [[['verify'], 'nothing is wrong'], [['stats'], 'account'], [['list', 'dashboard/accounts'], 'account_1'],
  [['inspect', 'dashboard/account/account_1'], '(redacted)'], [['export'], 'account_1'],
  [['sessions', 'list'], 'session '], [['audit', 'verify'], '0 entries']]
const writing = [['purge', '--older-than', '1d'], ['compact'], ['verify', '--repair'], ['recover', '--invalidate-sessions', '--yes'],
  ['sessions', 'end', '--all', '--yes'], ['audit', 'erase', '--account', 'account_1', '--yes']]

describe('a store that can only be read', () => {
  let folder, store, temporary, mounted
  before(async function () {
    if (!process.getuid || process.getuid() !== 0) {
      return this.skip()
    }
    folder = makeFolder()
    fs.chmodSync(folder, 0o755)
    const medium = path.join(folder, 'medium')
    temporary = path.join(folder, 'temporary')
    fs.mkdirSync(temporary)
    fs.chmodSync(temporary, 0o777)
    fs.mkdirSync(medium)
    skipIf(this, mount('-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', medium))
    mounted = medium
    store = path.join(medium, 'store')
    const opened = await addon.open({ path: store })
    await opened.storage.write('dashboard/account/account_1', '{"object":"account","sessionKey":"k","sessionKeyNumber":1}')
    await opened.lists.add('dashboard/accounts', 'account_1')
    await opened.close()
    execFileSync('chmod', ['-R', 'a+rX', medium])
    skipIf(this, mount('-o', 'remount,ro', medium))
  })
  after(() => {
    mounted && unmount(mounted)
    folder && fs.rmSync(folder, { recursive: true })
  })

  it('is tried with every command', () => {
    assertAllCommands([...reading.map(([args]) => args.join(' ')), ...writing.map((args) => args.join(' '))], ['backup', 'restore', 'remove-replaced', 'import', 'completion'])
  })
  for (const user of [0, 65534]) {
    const who = user ? 'another user' : 'root'
    for (const [args, shown] of reading) {
      it(`${args[0]} by ${who} works, changes nothing and leaves nothing`, () => {
        const before = read()
        const { status, stdout, stderr } = run(args, user)
        assert.strictEqual(status, 0, stderr)
        assert(stdout.includes(shown), stdout)
        assert.deepStrictEqual(read(), before)
        assert.deepStrictEqual(fs.readdirSync(temporary), [])
      })
    }
    for (const args of writing) {
      it(`${args.slice(0, 2).join(' ')} by ${who} changes nothing`, () => {
        const before = read()
        const { status, stderr } = run(args, user)
        // There is nothing to purge, nothing to recover from, no session, and no entry of the audit.
        assert.strictEqual(status, { purge: 0, recover: 1, sessions: 2, audit: 0 }[args[0]] ?? 7, stderr)
        assert.deepStrictEqual(read(), before)
        assert.deepStrictEqual(fs.readdirSync(temporary), [])
      })
    }
  }

  it('store-read-only for a write', async () => {
    const opened = await addon.open({ path: store, create: false })
    const error = await rejection(opened.storage.write('file', 'contents'))
    assert.deepStrictEqual([error.message, error.code], ['store-read-only', 'ERR_STORE_READ_ONLY'])
    assert(error.detail.includes(fs.realpathSync(store)), error.detail)
    assert.strictEqual(await opened.storage.read('file'), undefined)
    await opened.close()
  })

  it('store-read-only for a dashboard, which would write', async () => {
    const error = await rejection(addon.open({ path: store }))
    assert.deepStrictEqual([error.message, error.code], ['store-read-only', 'ERR_STORE_READ_ONLY'])
  })

  it('is restored from', () => {
    const target = path.join(folder, 'restored')
    const before = read()
    const { status, stderr } = run(['restore', store, '--yes'], 0, target)
    assert.strictEqual(status, 0, stderr)
    assert.deepStrictEqual(read(), before)
    assert(run(['list', 'dashboard/accounts'], 0, target).stdout.startsWith('account_1\n'))
  })

  it('is copied by a backup', () => {
    const { status, stderr } = run(['backup', path.join(folder, 'backup')])
    assert.strictEqual(status, 0, stderr)
  })

  describe('a private copy', () => {
    const wanted = /^dashboard-sled-[0-9a-f]{32}$/
    afterEach(() => fs.readdirSync(temporary).forEach((name) => fs.rmSync(path.join(temporary, name), { recursive: true })))

    it('of a process that was killed is removed by the next one, and one in use is not', async () => {
      const [killed, using] = [await hold(), await hold()]
      killed.child.kill('SIGKILL')
      await killed.ended
      assert.strictEqual(fs.readdirSync(temporary).filter((name) => wanted.test(name)).length, 2)
      const left = fs.readdirSync(temporary).filter((name) => name !== using.copy)
      const { status, stderr } = run(['stats'])
      assert.strictEqual(status, 0, stderr)
      assert.deepStrictEqual([left.length, fs.readdirSync(temporary)], [1, [using.copy]])
      using.child.send('end')
      assert.deepStrictEqual([(await using.ended).code, fs.readdirSync(temporary)], [0, []])
    })
    it('is only taken for one with its name, of the same user, for that user alone', async () => {
      const killed = await hold()
      killed.child.kill('SIGKILL')
      await killed.ended
      const name = (digit) => path.join(temporary, `dashboard-sled-${digit.repeat(32)}`)
      const others = {
        [path.join(temporary, 'dashboard-sled-backup')]: () => {},
        [name('a')]: (at) => fs.chownSync(at, 65534, 65534),
        [name('b')]: (at) => fs.chmodSync(at, 0o755),
        [name('c')]: (at) => fs.rmSync(path.join(at, 'lock'))
      }
      for (const [at, change] of Object.entries(others)) {
        fs.cpSync(path.join(temporary, killed.copy), at, { recursive: true })
        fs.chmodSync(at, 0o700)
        change(at)
      }
      const elsewhere = path.join(folder, 'elsewhere')
      fs.renameSync(path.join(temporary, killed.copy), elsewhere)
      fs.symlinkSync(elsewhere, name('d'))
      const before = fs.readdirSync(temporary, { recursive: true })
      const { status, stderr } = run(['stats'])
      assert.strictEqual(status, 0, stderr)
      assert.deepStrictEqual(fs.readdirSync(temporary, { recursive: true }), before)
      assert.deepStrictEqual(fs.readdirSync(elsewhere).sort(), ['lock', 'store'])
      fs.rmSync(elsewhere, { recursive: true })
    })

    // A process that has the store open, and the name of its copy.
    async function hold () {
      const before = fs.readdirSync(temporary)
      const running = runNode('hold-read-only.js', { args: [store], env: { TMPDIR: temporary } })
      await once(running.child, 'message')
      const [copy] = fs.readdirSync(temporary).filter((name) => !before.includes(name))
      return { ...running, copy }
    }
  })

  it('store-locked while another has it open for writing', async () => {
    const other = path.join(folder, 'other')
    const opened = await addon.open({ path: other })
    execFileSync('chmod', ['-R', 'a+rX', other])
    const { status, stderr } = run(['stats'], 65534, other)
    assert.deepStrictEqual([status, stderr.startsWith('store-locked: ')], [5, true], stderr)
    await opened.close()
  })

  function run (args, user = 0, at = store) {
    return spawnSync(process.execPath, [tool, ...args, '--store', at], { encoding: 'utf8', uid: user, gid: user, env: { ...process.env, TMPDIR: temporary } })
  }

  function read () {
    return fs.readdirSync(mounted, { recursive: true }).sort().map((name) => {
      const { mode, mtimeMs, size } = fs.statSync(path.join(mounted, name))
      return [name, mode, mtimeMs, size]
    })
  }
})
