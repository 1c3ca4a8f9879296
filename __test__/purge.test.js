/* eslint-env mocha */
const assert = require('assert')
const addon = require('../index.js')
const { purgeRegularly } = require('../lib/purge.js')
const { mainStore } = require('../lib/open-stores.js')
const { rejection, runNode, runTool, useStore } = require('./helper.js')
const { until } = require('./helpers/times.js')
const { encrypt, secrets, useSecret } = require('./helpers/secret.js')

const now = Math.floor(Date.now() / 1000)
const day = 86400

describe('purge', function () {
  this.timeout(60000)
  const store = useStore()
  afterEach(() => useSecret())

  // Each by its end: what is stored, the reset of its account, its expiry.
  const sessions = {
    ended: { ended: now - 40 * day },
    ended_lately: { ended: now - 20 * day, expires: now - 19 * day },
    // The stored end counts, although it expired earlier.
    ended_after_expiry: { ended: now - 20 * day, expires: now - 50 * day },
    reset: { accountid: 'account_reset', sessionKeyNumber: 1 },
    // After the reset, and not expired.
    after_reset: { accountid: 'account_reset', sessionKeyNumber: 2 },
    reset_lately: { accountid: 'account_reset_lately', sessionKeyNumber: 1, expires: now - 60 * day },
    expired: { expires: now - 31 * day },
    expired_lately: { expires: now - 29 * day },
    living: {},
    expired_without_account: { accountid: 'account_gone', expires: now - 31 * day },
    living_without_account: { accountid: 'account_gone' }
  }
  const gone = ['ended', 'expired', 'expired_without_account', 'reset']

  for (const [title, env] of Object.entries({ plain: {}, encrypted: secrets })) {
    describe(`of what ended long ago, ${title}`, () => {
      const counts = { sessions: 22, removed: 8, unreadable: 0, others: 0, damaged: 0, described: [] }
      let opened, before
      beforeEach(async () => {
        useSecret(env)
        await fill()
        before = await snapshot()
        opened = await addon.open({ path: process.env.SLED_PATH })
      })
      afterEach(() => opened.close())

      it('with dryRun counts, and changes nothing', async () => {
        assert.deepStrictEqual(await opened.purge({ olderThan: '30d', dryRun: true }), counts)
        assert.deepStrictEqual(await snapshot(), before)
      })
      it('removes it with everything that belongs to it, of every application', async () => {
        assert.deepStrictEqual(await opened.purge({ olderThan: '30d' }), counts)
        const after = await snapshot()
        const removed = ['a', 'another/app'].flatMap((appid) => gone.flatMap((id) => [
          `${appid}/session/${id}`,
          `${appid}/map/sessionids/${id}`,
          `${appid}/sessions: ${id}`,
          `${appid}/account/sessions/${sessions[id].accountid || 'account_1'}: ${id}`
        ]))
        assert.deepStrictEqual(before.filter((name) => !after.includes(name)).sort(), removed.sort())
        assert.deepStrictEqual(after.filter((name) => !before.includes(name)), [])
      })
      it('removes nothing the second time', async () => {
        await opened.purge({ olderThan: '30d' })
        assert.deepStrictEqual(await opened.purge({ olderThan: '30d' }), { ...counts, sessions: 14, removed: 0 })
      })
      it('leaves a store that verifies once nobody else has it open', async () => {
        await opened.purge({ olderThan: '30d' })
        assert.strictEqual((await rejection(opened.verify())).code, 'ERR_STORE_LOCKED')
        await store.storage.close()
        assert.strictEqual((await opened.verify()).problems, 0)
        await store.open()
      })
    })
  }

  it('agrees with Session.get on when a session ended', async () => {
    await fill()
    for (const id in sessions) {
      const { ended } = await addon.Session.get({ appid: 'a', query: { sessionid: id } }).catch(() => sessions[id].expires > now ? {} : { ended: sessions[id].expires })
      assert.strictEqual(Boolean(ended <= now - 30 * day), gone.includes(id), id)
    }
  })

  it('leaves what it cannot read and what is not a session, and counts both', async () => {
    useSecret(secrets)
    await fill()
    useSecret()
    for (const [key, contents] of [['a/session/text', 'text'], ['a/session/empty', ''], ['a/session/other', '{"object":"account"}'], ['a/session/odd', JSON.stringify({ object: 'session', accountid: 'account_1', expires: '5', sessionKeyNumber: 1 })]]) {
      await store.storage.write(key, contents)
    }
    const before = await snapshot()
    await store.storage.close()
    const { code, stdout } = await runTool(['purge', '--older-than', '30d'], { env: { SLED_PATH: process.env.SLED_PATH } })
    assert.deepStrictEqual([code, stdout], [3, [
      '0 of 26 sessions were removed',
      '22 could not be read, and were left: set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them',
      '4 records under keys of sessions are not sessions, and were left',
      ''
    ].join('\n')])
    const withSecret = await runTool(['purge', '--older-than', '30d', '--dry-run', '--json'], { env: secrets })
    assert.deepStrictEqual(JSON.parse(withSecret.stdout), { store: process.env.SLED_PATH, sessions: 26, removed: 8, unreadable: 0, others: 4, damaged: 0, described: [] })
    await store.open()
    assert.deepStrictEqual(await snapshot(), before)
  })

  it('invalid-age for an age without a unit, or of another form', async () => {
    await fill()
    const before = await snapshot()
    const opened = await addon.open({ path: process.env.SLED_PATH })
    for (const age of ['0', '0d', '-1d', '30', '30 d', '30D', '1y', 'd', '', '1.5d', '1e3d', '99999999999d', 30, undefined, null]) {
      const error = await rejection(opened.purge({ olderThan: age }))
      assert.deepStrictEqual([error.message, error.code], ['invalid-age', 'ERR_INVALID'])
      assert(error.detail.includes(String(age)) && error.detail.includes('30d'))
    }
    await rejection(opened.purge())
    await opened.close()
    await store.storage.close()
    for (const args of [['purge'], ['purge', '--older-than'], ['purge', '--older-than', '0d'], ['purge', '--older-than', '-1d']]) {
      const { code, stderr } = await runTool(args)
      assert.deepStrictEqual([code, /^(error: |store: .*\ninvalid-age: invalid age "(0|-1)d": )/.test(stderr)], [2, true], stderr)
    }
    await store.open()
    assert.deepStrictEqual(await snapshot(), before)
  })

  it('knows seconds, minutes, hours, days and weeks', async () => {
    const opened = await addon.open({ path: process.env.SLED_PATH })
    const ends = { '30s': 30, '30m': 1800, '30h': 108000, '3d': 3 * day, '2w': 14 * day }
    for (const [age, seconds] of Object.entries(ends)) {
      for (const [older, removed] of [[-20, 0], [20, 1]]) {
        await store.storage.write('a/session/s', session({ ended: Math.floor(Date.now() / 1000) - seconds - older }))
        assert.strictEqual((await opened.purge({ olderThan: age, dryRun: true })).removed, removed, `${age} ${older}`)
        await store.storage.delete('a/session/s')
      }
    }
    await opened.close()
  })

  it('lets other writes through in a running dashboard', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `session_${i}`)
    const opened = await addon.open({ path: process.env.SLED_PATH })
    await opened.load(many.map((id) => ({ record: `a/session/${id}`, contents: Buffer.from(session({ ended: 5 })) })))
    await opened.load([{ list: 'a/sessions', items: many }, { list: 'a/account/sessions/account_1', items: many }])
    const state = { purging: true, longest: 0, writes: 0 }
    const writer = (async () => {
      while (state.purging) {
        const before = process.hrtime.bigint()
        await store.storage.write('a/file', String(state.writes++))
        state.longest = Math.max(state.longest, Number(process.hrtime.bigint() - before) / 1e6)
      }
    })()
    const begun = Date.now()
    assert.strictEqual((await opened.purge({ olderThan: '1d' })).removed, 3000)
    const took = Date.now() - begun
    state.purging = false
    await writer
    // A purge that held up writes would do so for all of its time.
    assert(state.writes > 100 && state.longest < Math.max(500, took / 4), JSON.stringify({ ...state, took }))
    assert.deepStrictEqual(await snapshot(), ['a/file'])
    await opened.close()
  }).timeout(60000)

  it('finishes when it is run again after a kill', async () => {
    const many = Array.from({ length: 4000 }, (_, i) => `session_${i}`)
    const opened = await addon.open({ path: process.env.SLED_PATH })
    await opened.load([
      ...many.map((id) => ({ record: `a/session/${id}`, contents: Buffer.from(session({ ended: 5 })) })),
      { list: 'a/sessions', items: many },
      { list: 'a/account/sessions/account_1', items: many }
    ])
    await opened.close()
    await store.storage.close()
    const args = ['purge', '--older-than', '1d', '--json']
    // Kills later each time, until a purge was interrupted.
    let left = many.length
    for (let delay = 100; left === many.length; delay *= 1.2) {
      await runTool(args, { meanwhile: (child) => setTimeout(() => child.kill('SIGKILL'), delay) })
      await store.open()
      left = await store.storageList.count('a/sessions')
      await store.storage.close()
    }
    assert(left > 0)
    await store.open()
    // Each session was removed completely or not at all.
    const whole = (await snapshot()).filter((name) => name.startsWith('a/session/')).map((name) => name.slice(10)).sort()
    assert.deepStrictEqual((await store.storageList.listAll('a/sessions')).sort(), whole)
    assert.deepStrictEqual((await store.storageList.listAll('a/account/sessions/account_1')).sort(), whole)
    await store.storage.close()
    const again = await runTool(args)
    assert.deepStrictEqual([again.code, JSON.parse(again.stdout).removed], [0, left])
    await store.open()
    assert.deepStrictEqual(await snapshot(), [])
  }).timeout(60000)

  describe('by itself', () => {
    it('runs again and again until the store is closed', async () => {
      await fill()
      const end = purgeRegularly(mainStore(), '30d', 5, 20)
      for (const id of ['first', 'second']) {
        await store.storage.write(`a/session/${id}`, session({ ended: 5 }))
        await until(async () => !await store.storage.exists(`a/session/${id}`))
      }
      end()
      await store.storage.write('a/session/third', session({ ended: 5 }))
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.strictEqual(await store.storage.exists('a/session/third'), true)
      assert.strictEqual(await store.storage.exists('a/session/living'), true)
    })
    it('warns when it fails', async () => {
      useSecret({ ENCRYPTION_SECRET: 'short', ENCRYPTION_SECRET_IV: 'short' })
      const warnings = []
      const listen = (warning) => warnings.push(warning)
      process.on('warning', listen)
      const end = purgeRegularly(mainStore(), '30d', 5, 10000)
      await until(() => warnings.length)
      end()
      process.off('warning', listen)
      assert.strictEqual(warnings[0].code, 'DASHBOARD_SLED_PURGE')
      assert.match(warnings[0].message, /^dashboard-sled could not remove old sessions: .*ENCRYPTION_SECRET has to be 32 bytes/)
    })
    it('starts a minute after the store is opened, in one thread alone, and does not keep the process alive', async () => {
      await store.storage.write('a/session/ended', session({ ended: 5 }))
      await store.storage.close()
      const run = async (env) => JSON.parse((await runNode('purging.js', { env }).ended).stdout)
      assert.deepStrictEqual(await run({}), { delays: [], isThere: true })
      assert.deepStrictEqual(await run({ SLED_PURGE_AFTER: '1d', IN_THREAD: '1' }), { delays: [], isThere: true })
      assert.deepStrictEqual(await run({ SLED_PURGE_AFTER: '1d' }), { delays: [60000, 3600000], isThere: false })
      await store.open()
    }).timeout(60000)
    it('invalid-sled-purge-after for an invalid age', async () => {
      await store.storage.close()
      for (const age of ['0d', '30', 'nonsense']) {
        process.env.SLED_PURGE_AFTER = age
        const error = await rejection(addon.Storage.setup())
        assert.deepStrictEqual([error.message, error.code], ['invalid-sled-purge-after', 'ERR_SLED_PURGE_AFTER'])
        assert(error.detail.startsWith(`SLED_PURGE_AFTER: invalid age "${age}": `))
      }
      delete process.env.SLED_PURGE_AFTER
      await store.open()
    })
  })

  function session (properties) {
    return JSON.stringify({ object: 'session', sessionid: 's', accountid: 'account_1', tokenHash: 't', created: 1, expires: now + day, sessionKeyNumber: 1, ...properties })
  }

  async function fill () {
    const account = (properties) => encrypt(JSON.stringify({ object: 'account', accountid: 'a', sessionKey: 'k', sessionKeyNumber: 1, ...properties }))
    const writes = []
    for (const appid of ['a', 'another/app']) {
      writes.push(
        store.storage.write(`${appid}/account/account_1`, account({})),
        store.storage.write(`${appid}/account/account_reset`, account({ sessionKeyNumber: 2, sessionKeyLastReset: now - 31 * day })),
        store.storage.write(`${appid}/account/account_reset_lately`, account({ sessionKeyNumber: 2, sessionKeyLastReset: now - 29 * day })),
        store.storage.write(`${appid}/resetCode/code_1`, encrypt(JSON.stringify({ object: 'resetCode', expires: 5 }))),
        store.storageList.add(`${appid}/resetCodes`, 'code_1')
      )
      for (const id in sessions) {
        const accountid = sessions[id].accountid || 'account_1'
        writes.push(
          store.storage.write(`${appid}/session/${id}`, encrypt(session(sessions[id]))),
          store.storage.write(`${appid}/map/sessionids/${id}`, encrypt(accountid)),
          store.storageList.addMany({ [`${appid}/sessions`]: id, [`${appid}/account/sessions/${accountid}`]: id })
        )
      }
    }
    await Promise.all(writes)
  }

  // The name of every record, and every item of every list.
  async function snapshot () {
    const opened = await addon.open({ path: process.env.SLED_PATH })
    const names = []
    for await (const { record, list, items } of opened.entries()) {
      names.push(...(record !== undefined ? [record] : items.map((item) => `${list}: ${item}`)))
    }
    await opened.close()
    return names
  }
})
