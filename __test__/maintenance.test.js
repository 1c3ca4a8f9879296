/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { rejection, runTool, useStore } = require('./helper.js')
const { encrypt, secrets, useSecret } = require('./helpers/secret.js')

const appid = 'dashboard'

describe('maintenance', () => {
  const store = useStore()
  let folder, backup
  beforeEach(() => {
    folder = process.env.SLED_PATH
    backup = path.join(store.folder, 'backup')
  })

  describe('verify', () => {
    it('reads everything and finds nothing', async () => {
      await fill()
      await store.storage.close()
      const opened = await addon.open({ path: folder })
      const report = await opened.verify()
      await opened.close()
      assert.deepStrictEqual({ ...report, bytes: 0 }, { bytes: 0, described: [], items: 302, lists: 2, problems: 0, records: 54 })
      assert(report.bytes > 100000)
      const { code, stdout } = await run('verify')
      assert.deepStrictEqual([code, stdout.split('\n')[1]], [0, 'nothing is wrong'])
      await store.open()
    })
    it('store-locked while the dashboard has it', async () => {
      const opened = await addon.open({ path: folder })
      await assertRejected(opened.verify(), 'ERR_STORE_LOCKED')
      await opened.close()
      const { code, stderr } = await run('verify')
      assert.strictEqual(code, 5)
      assert(stderr.includes('\nstore-locked: '))
    })
    it('store-missing for a folder that holds none, and makes none there', async () => {
      const { code, stderr } = await run('verify', '--store', path.join(store.folder, 'missing'), '--json')
      assert.strictEqual(code, 4)
      assert.strictEqual(JSON.parse(stderr).error.code, 'ERR_STORE_MISSING')
      assert.strictEqual(fs.existsSync(path.join(store.folder, 'missing')), false)
    })
    it('the tool prints its usage', async () => {
      for (const args of [['nothing'], ['verify', '--nothing'], ['backup']]) {
        const { code, stderr } = await run(...args)
        assert.strictEqual(code, 2)
        assert(stderr.startsWith('error: '))
      }
      const { code, stdout } = await run('--help')
      assert.strictEqual(code, 0)
      assert(/backup.*restore.*verify.*recover/s.test(stdout))
    })
  })

  describe('backup', () => {
    it('holds the store of one moment while it is written to', async () => {
      await fill()
      const state = { writing: true, pairs: 0 }
      const writer = (async () => {
        while (state.writing) {
          // Two records and a list that always agree, in changes that follow each other.
          await store.storage.write('pair/a', String(++state.pairs))
          await store.storage.write('pair/b', String(state.pairs))
          await store.storageList.add('pairs', state.pairs)
        }
      })()
      const report = await store.storage.backup(backup)
      state.writing = false
      await writer
      assert.strictEqual(report.problems, 0)
      await assertRejected(store.storage.backup(backup), 'ERR_STORE_FOREIGN')
      await store.storage.close()
      process.env.SLED_PATH = backup
      await store.open()
      const [a, b] = [await store.storage.read('pair/a'), await store.storage.read('pair/b')].map((text) => Number(text || 0))
      const count = await store.storageList.count('pairs')
      assert(state.pairs > 2 && a <= state.pairs)
      assert([[a, a], [a - 1, a - 1], [a, a - 1]].some(([withB, withList]) => b === withB && count === withList), `${a} ${b} ${count}`)
      await assertFilled()
      await store.storage.close()
      process.env.SLED_PATH = folder
      await store.open()
    }).timeout(60000)
    it('of a stopped store is made on the command line', async () => {
      await fill()
      await store.storage.close()
      const { code, stdout } = await run('backup', backup, '--json')
      assert.strictEqual(code, 0)
      assert.strictEqual(JSON.parse(stdout).records, 54)
      assert.strictEqual((await run('verify', '--store', backup)).code, 0)
      assert.strictEqual((await run('backup', backup)).code, 1)
      await store.open()
    })
  })

  describe('restore', () => {
    for (const keep of [false, true]) {
      it(`puts a backup in place and ${keep ? 'keeps' : 'ends'} its sessions`, async () => {
        await fill()
        await store.storage.backup(backup)
        await store.storage.write('later', 'contents')
        await store.storage.close()
        const { code, stdout } = await run('restore', backup, '--yes', '--json', ...(keep ? ['--keep-sessions'] : []))
        assert.strictEqual(code, 0)
        const { replaced, ended } = JSON.parse(stdout)
        assert.deepStrictEqual(ended, keep ? null : { accounts: 2, others: 1 })
        assert(fs.existsSync(path.join(replaced, 'guard')))
        await store.open()
        await assertFilled()
        assert.strictEqual(await store.storage.exists('later'), false)
        const { ended: isEnded } = await addon.Session.get({ appid, query: { sessionid: 'session_1' } })
        assert.strictEqual(Boolean(isEnded), !keep)
      })
    }
    it('store-missing for a folder that is no backup, and leaves the store as it is', async () => {
      await fill()
      await store.storage.close()
      await assertRejected(addon.restore({ folder: path.join(store.folder, 'missing'), path: folder }), 'ERR_STORE_MISSING')
      await store.open()
      await assertFilled()
    })
    it('accounts-unreadable under another secret, and leaves the store as it is', async () => {
      await fill(secrets)
      await store.storage.backup(backup)
      await store.storage.close()
      const { code, stderr } = await run('restore', backup, '--yes')
      assert.strictEqual(code, 1)
      assert(stderr.includes('\naccounts-unreadable: 2 accounts'))
      const report = await runWith(secrets, 'restore', backup, '--yes', '--json')
      assert.deepStrictEqual(JSON.parse(report.stdout).ended, { accounts: 2, others: 1 })
      await store.open()
    })
  })

  describe('recover', () => {
    for (const env of [{}, secrets]) {
      it(`accepts a store that went back in time, and ends every session${env.ENCRYPTION_SECRET ? ', encrypted' : ''}`, async () => {
        await fill(env)
        await store.storage.close()
        const sled = path.join(folder, 'sled')
        fs.cpSync(sled, path.join(store.folder, 'old'), { recursive: true })
        await store.open()
        await store.storage.write('later', 'contents')
        await store.storage.close()
        fs.rmSync(sled, { recursive: true })
        fs.renameSync(path.join(store.folder, 'old'), sled)
        assert.strictEqual((await run('verify')).code, 6)
        const without = await run('recover')
        assert.strictEqual(without.code, 2)
        assert(without.stderr.includes('--invalidate-sessions'))
        if (env.ENCRYPTION_SECRET) {
          // A recovery that was cut short: the store is refused until every session was ended.
          assert((await run('recover', '--invalidate-sessions', '--yes')).stderr.includes('\naccounts-unreadable: '))
          await assertRejected(addon.Storage.setup(), 'ERR_STORE_ROLLED_BACK')
        }
        const { code, stdout } = await runWith(env, 'recover', '--invalidate-sessions', '--yes')
        assert.deepStrictEqual([code, stdout.split('\n')[0]], [0, 'every session of 2 accounts was ended'])
        await store.open()
        assert.strictEqual(await store.storage.exists('later'), false)
        useSecret(env)
        assert((await addon.Session.get({ appid, query: { sessionid: 'session_1' } })).ended > 1e9)
        useSecret()
        await store.reopen()
      }).timeout(60000)
    }
  })

  describe('recover of a store that lacks nothing', () => {
    it('store-whole, and nothing is changed', async () => {
      await fill()
      await store.storage.close()
      await assertRejected(addon.recover({ path: folder, invalidateSessions: true }), 'ERR_STORE_WHOLE')
      const { code, stderr } = await run('recover', '--invalidate-sessions', '--yes')
      assert.strictEqual(code, 1)
      assert(stderr.includes('\nstore-whole: ') && stderr.includes('--even-if-whole'))
      await store.open()
      assert.strictEqual((await addon.Session.get({ appid, query: { sessionid: 'session_1' } })).ended, undefined)
    })
    it('ends every session when it is asked for twice', async () => {
      await fill()
      await store.storage.close()
      const { code, stdout } = await run('recover', '--invalidate-sessions', '--even-if-whole', '--yes')
      assert.deepStrictEqual([code, stdout.split('\n')[0]], [0, 'every session of 2 accounts was ended'])
      await store.open()
      assert((await addon.Session.get({ appid, query: { sessionid: 'session_1' } })).ended > 1e9)
    })
  })
  for (const command of ['recover', 'restore']) {
    it(`${command} with a secret set ends the sessions of plain accounts as well, which stay plain`, async () => {
      const account = (i) => JSON.stringify({ object: 'account', accountid: `account_${i}`, sessionKey: `k${i}`, sessionKeyNumber: 1, pad: 'x'.repeat(i % 7) })
      await Promise.all(Array.from({ length: 40 }, (_, i) => store.storage.write(`${appid}/account/account_${i}`, account(i))))
      await store.storage.backup(backup)
      await store.storage.close()
      const args = command === 'recover' ? ['--invalidate-sessions', '--even-if-whole'] : [backup]
      const { code, stderr } = await runWith(secrets, command, ...args, '--yes', '--store', folder)
      assert.deepStrictEqual([code, stderr], [0, ''])
      await store.open()
      for (let i = 0; i < 40; i++) {
        const text = await store.storage.read(`${appid}/account/account_${i}`)
        const { sessionKey, sessionKeyNumber, ...rest } = JSON.parse(text)
        assert.deepStrictEqual([sessionKey === `k${i}`, sessionKeyNumber, rest.pad], [false, 2, 'x'.repeat(i % 7)])
        // Dashboard reads text of odd length as it is, even with a secret.
        assert.strictEqual(text.length % 2, 1)
      }
    })
  }
  it('a repair of the settings of sled is reported as a warning', async () => {
    await store.storage.close()
    const conf = path.join(folder, 'sled', 'conf')
    const whole = fs.readFileSync(conf)
    const warnings = []
    const listen = (warning) => warnings.push(warning)
    process.on('warning', listen)
    for (const damage of [() => fs.writeFileSync(conf, 'damaged'), () => fs.rmSync(conf), () => fs.truncateSync(conf, 5)]) {
      damage()
      await store.reopen()
      assert.deepStrictEqual(fs.readFileSync(conf), whole)
      await store.storage.close()
    }
    await store.open()
    process.off('warning', listen)
    assert.deepStrictEqual(warnings.map(({ code }) => code), Array(3).fill('DASHBOARD_SLED_REPAIRED'))
    assert(warnings[0].message.includes(conf))
  })

  async function fill (env = {}) {
    const stored = (object) => encrypt(JSON.stringify(object), env)
    await Promise.all([
      ...Array.from({ length: 49 }, (_, i) => store.storage.write(`file/${i}`, `contents ${i}`)),
      store.storage.writeBinary('large', Buffer.alloc(100000, 7)),
      ...Array.from({ length: 300 }, (_, i) => store.storageList.add('list', i)),
      store.storageList.addMany({ ['p'.repeat(5000)]: 'a' }),
      store.storageList.add('p'.repeat(5000), 'q'.repeat(5000)),
      store.storage.write(`${appid}/account/account_1`, stored({ object: 'account', sessionKey: 'k', sessionKeyNumber: 1 })),
      store.storage.write(`${appid}/account/account_2`, stored({ object: 'account', sessionKey: 'k', sessionKeyNumber: 1, deleted: 5 })),
      store.storage.write(`${appid}/account/other`, 'no account'),
      store.storage.write(`${appid}/session/session_1`, stored({ object: 'session', accountid: 'account_1', sessionKeyNumber: 1, expires: 4e9 }))
    ])
  }

  async function assertFilled () {
    assert.strictEqual(await store.storage.read('file/48'), 'contents 48')
    assert((await store.storage.readBinary('large')).equals(Buffer.alloc(100000, 7)))
    assert.deepStrictEqual(await store.storageList.list('list', 298, 5), ['1', '0'])
    assert.strictEqual(await store.storageList.count('p'.repeat(5000)), 2)
  }

  async function assertRejected (promise, code) {
    assert.strictEqual((await rejection(promise)).code, code)
  }

  function run (...args) {
    return runWith({}, ...args)
  }

  function runWith (env, ...args) {
    return runTool(args, { env: { SLED_PATH: folder, ...env } })
  }
})
