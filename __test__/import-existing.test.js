/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { spawn } = require('child_process')
const addon = require('../index.js')
const { compare } = require('../lib/cli/compare.js')
const { withAlone } = require('../lib/control/alone.js')
const { makeFolder, readEntries, rejection, runTool, tool, withStore } = require('./helper.js')
const { encrypt, secrets } = require('./helpers/secret.js')

const ACCOUNT = 'dashboard/account/account_1'
const SESSION = 'dashboard/session/session_1'
const LEFT = { id: 'session_1', list: 'dashboard/sessions' }

describe('import into a store that holds data', () => {
  let folder, store, file
  beforeEach(() => {
    folder = makeFolder()
    store = path.join(folder, 'store')
    file = path.join(folder, 'older.jsonl')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  const account = (more = {}) => ({ object: 'account', accountid: 'account_1', sessionKey: 'first key', sessionKeyNumber: 1, passwordHash: 'first password', ...more })
  const session = (more = {}) => ({ object: 'session', sessionid: 'session_1', accountid: 'account_1', created: 1, expires: 9e9, sessionKeyNumber: 1, ...more })
  const entries = (anAccount, aSession) => [
    { record: ACCOUNT, contents: Buffer.from(JSON.stringify(anAccount)) },
    { record: SESSION, contents: Buffer.from(JSON.stringify(aSession)) },
    { list: LEFT.list, items: [LEFT.id] }
  ]

  // An export from before a reset, a change of the password and an end of the session.
  async function makeOlder () {
    await fill(entries(account(), session()))
    assert.strictEqual((await runTool(['export', '--output', file, '--store', store])).code, 0)
    await withStore(store, async ({ storage }) => {
      await storage.write(ACCOUNT, JSON.stringify(account({ sessionKey: 'second key', sessionKeyNumber: 2, sessionKeyLastReset: 50 })))
      await storage.write(ACCOUNT, JSON.stringify(account({ sessionKey: 'second key', sessionKeyNumber: 2, sessionKeyLastReset: 50, passwordHash: 'second password', passwordLastChanged: 60 })))
      await storage.write(SESSION, JSON.stringify(session({ ended: 70 })))
    })
  }

  it('an older export brings neither the session, nor its key, nor the password back, and the summary counts it', async () => {
    await makeOlder()
    const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', store, '--yes', '--verify'])
    assert.deepStrictEqual([code, stdout.trim().split('\n')], [0, [
      '2 records and 1 list with 1 item were brought over, 244 bytes',
      `kept: ${ACCOUNT}`,
      `kept: ${SESSION}`,
      'of 2 accounts and sessions something was kept, because it ended or was changed in the store',
      'every record and every list is as in the source, except for 2 of which something was kept'
    ]])
    const found = await stored()
    assert.deepStrictEqual([found.account.sessionKey, found.account.sessionKeyNumber, found.account.passwordHash, found.session.ended], ['second key', 2, 'second password', 70])
  }).timeout(60000)
  it('an audit comes along into an empty store, and stays beside another one, which is not a difference', async () => {
    const end = (count) => withAlone({ folder: store }, async () => {
      for (let i = 0; i < count; i++) {
        await addon.ResetSessionKey.patch({ appid: 'dashboard', query: { accountid: 'account_1' } })
      }
      await addon.Audit.verify()
    })
    const bring = (target) => runTool(['import', '--from', 'jsonl', file, '--store', target, '--yes', '--verify', '--json'])
    await fill(entries(account(), session()))
    await end(2)
    assert.strictEqual((await runTool(['export', '--output', file, '--store', store])).code, 0)
    const copy = path.join(folder, 'copy')
    const [fresh, again] = [await bring(copy), await bring(copy)].map(({ code, stdout }) => [code, JSON.parse(stdout)])
    assert.deepStrictEqual([fresh[0], fresh[1].differences, fresh[1].keptAudit], [0, 0, false])
    assert.deepStrictEqual([again[0], again[1].differences, again[1].keptAudit], [0, 0, true])
    const audit = (folder) => readEntries(folder).then((all) => all.filter(({ record }) => /^dashboard-sled\/(head|entry)/.test(record)))
    assert.deepStrictEqual(await audit(copy), await audit(store))
    await end(3)
    const before = await audit(store)
    const older = await bring(store)
    assert.deepStrictEqual([older.code, JSON.parse(older.stdout).differences, JSON.parse(older.stdout).keptAudit], [0, 0, true])
    assert.deepStrictEqual([await audit(store), before.length], [before, 6])
    // The check of an audit that came along can fail.
    const found = await withStore(copy, async (opened) => {
      const source = [...await audit(copy), { record: 'dashboard-sled/entry/9', contents: Buffer.from('{}') }]
      return compare(source, opened, { keptAudit: false })
    })
    assert(found.described.includes('only in the source: the record dashboard-sled/entry/9'))
  }).timeout(60000)
  it('new entries that have no number yet are an audit as well, of the source and of the store', async () => {
    const copy = path.join(folder, 'copy')
    const endOne = (place) => withAlone({ folder: place }, () => addon.ResetSessionKey.patch({ appid: 'dashboard', query: { accountid: 'account_1' } }))
    const endsOf = (place) => withAlone({ folder: place }, async () => (await addon.Audit.list({ appid: 'dashboard', query: {} })).entries.length)
    const bring = async (from, target) => {
      const { code, stdout } = await runTool(['import', '--from', 'sled', from, '--store', target, '--yes', '--verify', '--json'])
      const { differences, keptAudit } = JSON.parse(stdout)
      return [code, differences, keptAudit]
    }
    await fill(entries(account(), session()))
    await endOne(store)
    assert.deepStrictEqual(await bring(store, copy), [0, 0, false])
    await endOne(copy)
    assert.deepStrictEqual(await bring(store, copy), [0, 0, true])
    assert.strictEqual(await endsOf(copy), 2)
    assert.deepStrictEqual(await bring(store, copy), [0, 0, true])
    assert.deepStrictEqual([await endsOf(store), await endsOf(copy)], [1, 2])
  }).timeout(60000)
  it('a retired key and password that the store no longer remembers are recognised by number and time', async () => {
    await makeOlder()
    // An export does not contain the retired keys and passwords.
    const newer = path.join(folder, 'newer.jsonl')
    const second = path.join(folder, 'second')
    await runTool(['export', '--output', newer, '--store', store])
    await runTool(['import', '--from', 'jsonl', newer, '--store', second])
    const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', second, '--yes', '--json'])
    const { kept, keptRecords } = JSON.parse(stdout)
    assert.deepStrictEqual([code, kept, keptRecords], [0, 2, [ACCOUNT, SESSION]])
    const found = await stored(second)
    assert.deepStrictEqual([found.account.sessionKey, found.account.passwordHash, found.session.ended], ['second key', 'second password', 70])
  }).timeout(60000)
  it('a password that was changed alone does not come back, and a newer one comes over', async () => {
    await fill(entries(account({ passwordHash: 'second password', passwordLastChanged: 60 }), session()))
    assert.strictEqual((await fill(entries(account(), session()))).kept, 1)
    assert.strictEqual((await stored()).account.passwordHash, 'second password')
    assert.strictEqual((await fill(entries(account({ passwordHash: 'third password', passwordLastChanged: 61 }), session()))).kept, 0)
    assert.strictEqual((await stored()).account.passwordHash, 'third password')
  })
  it('a reset and an account from another store since then are brought over', async () => {
    await fill(entries(account(), session()))
    const reset = account({ sessionKey: 'second key', sessionKeyNumber: 2, sessionKeyLastReset: 50, name: 'new' })
    const other = { record: 'dashboard/account/account_2', contents: Buffer.from(JSON.stringify(account({ accountid: 'account_2' }))) }
    const { kept } = await fill([...entries(reset, session({ ended: 70 })), other])
    const found = await stored()
    assert.deepStrictEqual([kept, found.account, found.session.ended], [0, reset, 70])
    assert.strictEqual(await withStore(store, ({ storage }) => storage.read(other.record)), String(other.contents))
    // The values that the reset retired stay retired.
    assert.strictEqual((await fill(entries(account({ sessionKeyNumber: 3 }), session()))).kept, 2)
    assert.strictEqual((await stored()).account.sessionKey, 'second key')
  })
  it('text in place of an account changes nothing', async () => {
    await fill(entries(account(), session()))
    const { kept } = await fill([{ record: ACCOUNT, contents: Buffer.from('text') }])
    assert.deepStrictEqual([kept, (await stored()).account], [1, account()])
  })
  it('encrypted records are compared under the secret, and refused without it, but for the same bytes', async () => {
    const encrypted = (object) => Buffer.from(encrypt(JSON.stringify(object), secrets))
    const older = [{ record: ACCOUNT, contents: encrypted(account()) }]
    const newer = [{ record: ACCOUNT, contents: encrypted(account({ sessionKey: 'second key', sessionKeyNumber: 2 })) }]
    await fill(newer)
    assert.strictEqual((await fill(newer)).kept, 0)
    const error = await rejection(fill(older))
    assert.deepStrictEqual([error.message, error.detail.startsWith(`${ACCOUNT} is in the store already, and cannot be compared`)], ['invalid-encryption-secret', true])
    Object.assign(process.env, secrets)
    try {
      assert.strictEqual((await fill(older)).kept, 1)
    } finally {
      Object.keys(secrets).forEach((name) => delete process.env[name])
    }
    assert.deepStrictEqual(await withStore(store, ({ storage }) => storage.readBinary(ACCOUNT)), newer[0].contents)
  })

  describe('--overwrite', () => {
    it('brings everything over, and ends every session afterwards', async () => {
      await makeOlder()
      const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', store, '--yes', '--overwrite', '--verify', '--json'])
      const report = JSON.parse(stdout)
      assert.deepStrictEqual([code, report.ended, report.differences], [0, { accounts: 1, others: 0 }, 0])
      const found = await stored()
      assert.deepStrictEqual([found.account.passwordHash, found.session.ended, found.account.sessionKeyNumber], ['first password', undefined, 2])
      assert(!['first key', 'second key'].includes(found.account.sessionKey))
    }).timeout(60000)
    it('leaves a store that no dashboard opens if it was interrupted', async () => {
      await makeOlder()
      const many = Array.from({ length: 3000 }, (_, i) => ({ record: `r/${i}`, contents: Buffer.from('contents') }))
      const script = `
        const addon = require(${JSON.stringify(path.join(__dirname, '..'))})
        addon.open({ path: ${JSON.stringify(store)} }).then(async (store) => {
          async function * entries () {
            yield { record: ${JSON.stringify(ACCOUNT)}, contents: Buffer.from(${JSON.stringify(JSON.stringify(account()))}) }
            for (let i = 0; i < ${many.length}; i++) {
              yield { record: 'r/' + i, contents: Buffer.from('contents') }
            }
            process.kill(process.pid, 'SIGKILL')
          }
          await store.load(entries(), { overwrite: true })
        })`
      const child = spawn(process.execPath, ['-e', script])
      assert.strictEqual(await new Promise((resolve) => child.on('close', (_, signal) => resolve(signal))), 'SIGKILL')
      const refused = await rejection(addon.open({ path: store }))
      assert.deepStrictEqual([refused.message, refused.detail.includes('an import that overwrites, or a recovery, was interrupted; end every session')], ['store-rolled-back', true])
      assert.deepStrictEqual(await addon.recover({ path: store, invalidateSessions: true }), { accounts: 1, others: 0 })
      const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', store, '--yes', '--overwrite', '--json'])
      assert.deepStrictEqual([code, JSON.parse(stdout).ended.accounts], [0, 1])
      assert(!['first key', 'second key'].includes((await stored()).account.sessionKey))
    }).timeout(60000)
    it('ends the sessions also when the source breaks off', async () => {
      await makeOlder()
      async function * broken () {
        yield * entries(account(), session())
        yield * Array.from({ length: 3000 }, (_, i) => ({ record: `r/${i}`, contents: Buffer.from('contents') }))
        throw new Error('the source is gone')
      }
      await withStore(store, async (store) => {
        assert.strictEqual((await rejection(store.load(broken(), { overwrite: true }))).message, 'the source is gone')
      })
      const found = await stored()
      assert.strictEqual(found.account.sessionKeyNumber, 2)
      assert(!['first key', 'second key'].includes(found.account.sessionKey))
    })
    it('into an empty store is an import as any other', async () => {
      await makeOlder()
      const second = path.join(folder, 'second')
      const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', second, '--overwrite', '--json'])
      assert.deepStrictEqual([code, JSON.parse(stdout).ended], [0, undefined])
      assert.deepStrictEqual(await stored(second), { account: account(), session: session() })
    })
  })

  describe('--dry-run', () => {
    it('says what would be brought over and kept, and changes nothing', async () => {
      await makeOlder()
      const before = await readEntries(store)
      const { code, stdout } = await runTool(['import', '--from', 'jsonl', file, '--store', store, '--dry-run'])
      assert.deepStrictEqual([code, stdout.trim().split('\n')], [0, [
        '2 records and 1 list with 1 item would be brought over, 244 bytes',
        `kept: ${ACCOUNT}`,
        `kept: ${SESSION}`,
        'of 2 accounts and sessions something would be kept, because it ended or was changed in the store',
        'nothing was changed'
      ]])
      assert.deepStrictEqual(await readEntries(store), before)
      const replaced = await runTool(['import', '--from', 'jsonl', file, '--store', store, '--dry-run', '--overwrite'])
      assert.deepStrictEqual([replaced.code, replaced.stdout.trim().split('\n').slice(1)], [0, ['whatever is in the store would be replaced, and every session would be ended', 'nothing was changed']])
      assert.deepStrictEqual(await readEntries(store), before)
      const missing = path.join(folder, 'missing')
      const fresh = await runTool(['import', '--from', 'jsonl', file, '--store', missing, '--dry-run', '--json'])
      assert.deepStrictEqual([fresh.code, JSON.parse(fresh.stdout)], [0, { store: missing, dryRun: true, records: 2, lists: 1, items: 1, bytes: 244, kept: 0, keptRecords: [], keptAudit: false, skipped: 0 }])
      assert.strictEqual(fs.existsSync(missing), false)
    }).timeout(60000)
  })

  describe('a yes', () => {
    it('is wanted where nobody can be asked', async () => {
      await makeOlder()
      const before = await readEntries(store)
      for (const more of [[], ['--overwrite']]) {
        const { code, stderr } = await runTool(['import', '--from', 'jsonl', file, '--store', store, ...more])
        assert.deepStrictEqual([code, stderr.startsWith(`confirmation-missing: the store in ${store} has data: `), stderr.includes('Add --yes')], [2, true, true], stderr)
      }
      assert.deepStrictEqual(await readEntries(store), before)
    }).timeout(60000)
    it('is asked for at a terminal', async () => {
      await makeOlder()
      for (const [answer, expected] of [['n', 2], ['', 2], ['y', 0]]) {
        const { code, output } = await atTerminal(['import', '--from', 'jsonl', file, '--store', store], answer)
        assert.deepStrictEqual([code, output.includes('Go on? [y/N]')], [expected, true], output)
      }
    }).timeout(60000)
  })

  // Runs the tool at a terminal, which the program script makes.
  function atTerminal (args, answer) {
    const command = [process.execPath, tool, ...args].map((part) => `'${part}'`).join(' ')
    return new Promise((resolve) => {
      const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'])
      let output = ''
      child.stdout.on('data', (data) => {
        output += data
        if (!child.stdin.writableEnded && output.includes('[y/N]')) {
          child.stdin.end(`${answer}\n`)
        }
      })
      child.on('close', (code) => resolve({ code, output }))
    })
  }

  function fill (entries) {
    return withStore(store, (store) => store.load(entries))
  }

  function stored (at = store) {
    return withStore(at, async ({ storage }) => {
      const [account, session] = await Promise.all([ACCOUNT, SESSION].map((name) => storage.read(name)))
      return { account: JSON.parse(account), session: JSON.parse(session) }
    })
  }
})
