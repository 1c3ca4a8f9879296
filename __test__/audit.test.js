/* eslint-env mocha */
const assert = require('assert')
const EventEmitter = require('events')
const fs = require('fs')
const path = require('path')
const { Audit, ResetSessionKey, Session, Sessions } = require('../index.js')
const { activate, attribution, enter } = require('../lib/attribution.js')
const { prune } = require('../lib/audit/prune.js')
const { withoutActor } = require('../lib/audit/chain.js')
const Ledger = require('../lib/audit/ledger.js')
const { accountChain, chainsOf, entryName, HEAD, sessionEndName } = require('../lib/audit/names.js')
const { verify } = require('../lib/audit/verify.js')
const { toCsv } = require('../lib/audit/view.js')
const { clientReader } = require('../lib/client.js')
const { entries: entriesOf, load } = require('../lib/entries.js')
const { mainStore, openFolder } = require('../lib/open-stores.js')
const { activateAlone, current, deactivate } = require('../lib/sessions/module.js')
const { pruneReceipts, receiptName } = require('../lib/sessions/receipts.js')
const { makeFolder, rejection, useStore } = require('./helper.js')

const appid = 'app'
const account = (accountid) => ({ object: 'account', accountid, sessionKey: 'k', sessionKeyNumber: 1 })
const session = (sessionid, accountid) => ({ object: 'session', sessionid, accountid, created: 5, expires: 4e9, sessionKeyNumber: 1, tokenHash: 't' })
const ask = (query, body) => ({ appid, query, body })

describe('audit', () => {
  const store = useStore()
  beforeEach(async () => {
    activateAlone(mainStore())
    await store.storage.write('app/account/a', JSON.stringify(account('a')))
    await store.storage.write('app/account/b', JSON.stringify(account('b')))
  })
  afterEach(deactivate)

  it('has one entry for each end, whoever appends them at once', async () => {
    const ledgers = Array.from({ length: 4 }, () => new Ledger(mainStore()))
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 5 }, () => reset()))
      await Promise.all(ledgers.map((ledger) => ledger.append()))
    }
    const numbers = (await Audit.list(ask({ limit: 500 }))).entries.map(({ sessionKeyNumber }) => sessionKeyNumber)
    assert.deepStrictEqual(numbers.sort((a, b) => a - b), Array.from({ length: 100 }, (_, index) => index + 2))
    assert.deepStrictEqual(await Audit.verify(), { entries: 100, break: null, number: null })
  }).timeout(60000)

  it('is whole while old entries are removed', async () => {
    await Promise.all(Array.from({ length: 100 }, () => reset()))
    await current().ledger.append()
    const native = mainStore()
    const { readMany } = native
    let [isDue, pruned] = [false, 0]
    // Between two pages of the verification.
    native.readMany = async (...args) => {
      if (isDue && !pruned) {
        isDue = false
        pruned = await prune(native, -1)
      }
      return readMany.apply(native, args)
    }
    const found = await verify(native, () => { isDue = true })
    native.readMany = readMany
    assert.strictEqual(pruned, 100)
    assert.strictEqual(found.break, null)
    assert.deepStrictEqual(await Audit.verify(), { entries: 0, break: null, number: null })
  }).timeout(60000)

  it('of a store is imported whole or not at all', async () => {
    const folder = makeFolder()
    await Promise.all(Array.from({ length: 10 }, () => reset()))
    await current().ledger.append()
    const entries = []
    for await (const entry of entriesOf(mainStore())) {
      entries.push(entry)
    }
    const second = await openFolder(path.join(folder, 'other'), { cacheMB: 16, commitSeconds: 10, create: true })
    const interrupted = load(second, (function * () {
      yield * entries
      // More than a batch, so that those before are written.
      yield * Array.from({ length: 3000 }, (_, index) => ({ record: `other/${index}`, contents: Buffer.from('x') }))
      throw new Error('interrupted')
    })())
    assert.strictEqual((await rejection(interrupted)).message, 'interrupted')
    assert.strictEqual((await verify(second)).entries, 0)
    await load(second, entries)
    assert.deepStrictEqual(await verify(second), { entries: 10, break: null, number: null })
    await second.close()
    fs.rmSync(folder, { recursive: true })
  }).timeout(60000)

  it('stays as it is when another one is imported', async () => {
    await Promise.all(Array.from({ length: 3 }, () => reset()))
    const before = await Audit.list(ask({}))
    // A foreign entry that leads to itself, and what would lead to it.
    const foreign = { ...before.entries[0], number: 9, previous: { application: 9, account: 9, actor: 9, cause: 9 }, details: { accountid: 'a', by: {} } }
    await load(mainStore(), [[HEAD, '{"number":9}'], [entryName(9), JSON.stringify(foreign)], [accountChain(appid, 'a'), '9']]
      .map(([record, text]) => ({ record, contents: Buffer.from(text) })))
    assert.deepStrictEqual(await Audit.list(ask({})), before)
    assert.deepStrictEqual((await Audit.list(ask({ accountid: 'a' }))).entries, before.entries)
    assert.deepStrictEqual(await Audit.verify(), { entries: 3, break: null, number: null })
  })

  it('verifies what leads to each entry, and finds what cannot be read', async () => {
    await addSession('s', 'a')
    await Sessions.end(ask({ sessionid: 's' }))
    await reset()
    await reset('b')
    assert.deepStrictEqual(await Audit.verify(), { entries: 3, break: null, number: null })
    // As if the actor had been erased, and then another one was put there.
    const forged = async (number) => {
      const entry = JSON.parse(await store.storage.read(entryName(number)))
      const { by } = withoutActor(entry.details)
      return { ...entry, details: { ...entry.details, by: { ...by, actor: { type: 'administrator', accountid: 'b' } } } }
    }
    const chains = chainsOf({ appid, cause: 'session-key-reset', details: { accountid: 'a', by: { actor: { type: 'system' } } } })
    for (const [name, text, found] of [
      [sessionEndName(appid, 's'), '', 1],
      [sessionEndName(appid, 's'), '0', 1],
      [chains.application, '1', 2],
      [chains.application, '0', 1],
      [chains.account, '', 1],
      [chains.actor, '1', 2],
      [chains.actor, 'text', 1],
      [chains.cause, '', 2],
      // An entry of another account, and none.
      [chains.account, '3', 1],
      [chains.account, '99', 1],
      [entryName(2), JSON.stringify(await forged(2)), 2],
      [entryName(1), 'text', 1],
      [entryName(2), '{}', 2],
      [entryName(2), JSON.stringify({ ...JSON.parse(await store.storage.read(entryName(2))), details: {} }), 2],
      [entryName(2), '', 2]
    ]) {
      const before = await store.storage.read(name)
      await put(name, text)
      const { break: said, number } = await Audit.verify()
      assert.deepStrictEqual([number, typeof said], [found, 'string'], `${name} ${text}`)
      await put(name, before)
      assert.strictEqual((await Audit.verify()).break, null)
    }
  })

  it('leads to the last end of a session that ended twice, also when the first one is removed', async () => {
    const name = sessionEndName(appid, 's')
    for (const expected of ['1', '2']) {
      await addSession('s', 'a')
      await store.storage.delete('app/session/s')
      await current().ledger.append()
      assert.strictEqual(await store.storage.read(name), expected)
    }
    assert.strictEqual(await prune(mainStore(), -1, 2), 1)
    assert.strictEqual(await store.storage.read(name), '2')
    assert.strictEqual((await Audit.verify()).break, null)
    assert.strictEqual(await prune(mainStore(), -1), 1)
    assert.strictEqual(await store.storage.exists(name), false)
  })

  it('keeps nothing of an account that was erased, as the one that ended or that did it', async () => {
    const socket = { remoteAddress: '192.0.2.7' }
    const headers = { 'user-agent': 'an-agent-of-erased' }
    await store.storage.write('app/account/erased', JSON.stringify({ ...account('erased'), administrator: 1 }))
    await addSession('s', 'a')
    await addSession('t', 'erased')
    await addSession('u', 'erased')
    const request = { method: 'PATCH', urlPath: '/api/administrator/end-sessions', socket, headers, account: account('erased'), session: session('u', 'erased') }
    current().lastSeen.clientOf = clientReader([], true)
    activate(current().lastSeen.clientOf)
    await Sessions.end({ ...ask({ sessionid: 's' }, { reason: 'a reason' }), ...request })
    await Sessions.end({ ...ask({ sessionid: 't' }), ...request })
    current().lastSeen.note({ ...request, appid })
    await current().lastSeen.write()
    const traces = async () => {
      const own = await ownRecords()
      return ['erased', '192.0.2.7', 'an-agent-of-erased'].filter((text) => own.some(([, found]) => found.replaceAll('"erased":', '').replaceAll('{"type":"erased"}', '').includes(text)))
    }
    assert.deepStrictEqual(await traces(), ['erased', '192.0.2.7', 'an-agent-of-erased'])
    assert.deepStrictEqual(await Audit.erase(ask({ accountid: 'erased' })), { object: 'erasure', accountid: 'erased', entries: 2 })
    assert.deepStrictEqual(await traces(), [])
    // Nor what waits in memory to be written.
    current().lastSeen.note({ ...request, appid })
    await Audit.erase(ask({ accountid: 'erased' }))
    await current().lastSeen.write()
    assert.deepStrictEqual(await traces(), [])
    const [about, by] = (await Audit.list(ask({}))).entries
    assert.deepStrictEqual([about.erased, about.accountid, about.actor], [true, undefined, undefined])
    assert.deepStrictEqual([by.accountid, by.sessionid, by.reason, by.actor, by.address], ['a', 's', 'a reason', { type: 'erased' }, undefined])
    assert.deepStrictEqual((await Audit.list(ask({ actor: 'erased' }))).entries.map(({ number }) => number), [by.number])
    assert.deepStrictEqual(await Audit.verify(), { entries: 2, break: null, number: null })
    assert.strictEqual((await Audit.erase(ask({ accountid: 'erased' }))).entries, 0)
  })

  it('of two accounts that are erased at once, of which one ended the sessions of the other, has nothing left', async () => {
    for (let round = 0; round < 10; round++) {
      const [subject, actor] = [`subject-${round}`, `actor-${round}`]
      await store.storage.write(`app/account/${subject}`, JSON.stringify(account(subject)))
      const request = { account: account(actor), socket: {}, urlPath: '/api/administrator/end-sessions' }
      for (let n = 0; n < 70; n++) {
        await addSession(`s${round}-${n}`, subject)
      }
      await Promise.all(Array.from({ length: 70 }, (_, n) => Sessions.end({ ...ask({ sessionid: `s${round}-${n}` }), ...request })))
      await Promise.all([subject, actor, subject].map((accountid) => Audit.erase(ask({ accountid }))))
    }
    const left = (await ownRecords()).filter(([name, text]) => name.startsWith('dashboard-sled/entry/') && /(subject|actor)-/.test(text))
    assert.deepStrictEqual(left, [])
    assert.deepStrictEqual(await Audit.verify(), { entries: 700, break: null, number: null })
  }).timeout(60000)

  it('as comma-separated values says what ended', async () => {
    await addSession('s', 'a')
    await Sessions.end(ask({ sessionid: 's' }, { reason: '=1+1, "x"' }))
    await reset()
    const { createdBefore } = await Sessions.end(ask({ all: true }))
    const { entries } = await Audit.list(ask({}))
    const rows = toCsv(entries, true).split('\r\n')
    assert.strictEqual(rows[0], 'number,time,cause,accountid,sessionid,actor,actorid,address,agent,reason,hash,sessionKeyNumber,before')
    assert.strictEqual(toCsv(entries), rows.slice(1).join('\r\n'))
    const [all, key, one] = entries.map(({ time, hash }) => [new Date(time * 1000).toISOString(), hash])
    assert.deepStrictEqual(rows.slice(1), [
      `3,${all[0]},application-wide,,,system,,,,,${all[1]},,${new Date(createdBefore * 1000).toISOString()}`,
      `2,${key[0]},session-key-reset,a,,system,,,,,${key[1]},2,`,
      `1,${one[0]},ended-by-administrator,a,s,system,,,,"'=1+1, ""x""",${one[1]},,`,
      ''
    ])
  })

  it('is erased behind a missing entry as well', async () => {
    for (const accountid of ['a', 'b', 'a', 'b', 'a', 'a']) {
      await reset(accountid)
    }
    await current().ledger.append()
    await put(entryName(5), '')
    assert.strictEqual((await Audit.erase(ask({ accountid: 'a' }))).entries, 3)
    assert.deepStrictEqual((await Audit.list(ask({}))).entries.map(({ accountid }) => accountid), [undefined, 'b', undefined, 'b', undefined])
  })

  it('of an account that is called as a kind of actor is erased alone', async () => {
    await reset()
    assert.deepStrictEqual(await Audit.erase(ask({ accountid: 'system' })), { object: 'erasure', accountid: 'system', entries: 0 })
    assert.deepStrictEqual((await Audit.list(ask({ actor: 'system' }))).entries.map(({ actor }) => actor), [{ type: 'system' }])
  })

  it('leads to the end of a session that ended again while its account was erased', async () => {
    const end = async () => {
      await addSession('s', 'a')
      await store.storage.delete('app/session/s')
    }
    await end()
    for (let n = 0; n < 100; n++) {
      await reset()
    }
    await current().ledger.append()
    const native = mainStore()
    const { replace } = native
    let calls = 0
    native.replace = async (...args) => {
      if (++calls === 2) {
        await end()
        await new Ledger(native).append()
      }
      return replace.apply(native, args)
    }
    const { entries } = await Audit.erase(ask({ accountid: 'a' }))
    native.replace = replace
    assert.deepStrictEqual(await Audit.verify(), { entries: 102, break: null, number: null })
    // The one that came meanwhile may be erased or not.
    assert([101, 102].includes(entries), String(entries))
  }).timeout(60000)

  it('names the user of a request whose client has gone', async () => {
    const req = { method: 'POST', urlPath: '/account/x', headers: { 'user-agent': 'a-browser' }, socket: {}, account: account('a'), session: session('s', 'a') }
    const res = new EventEmitter()
    enter(req, res)
    res.emit('close')
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepStrictEqual(JSON.parse(attribution()).actor, { type: 'user', accountid: 'a', sessionid: 's' })
  })

  describe('receipts', () => {
    it('are of one request: the same key with another one is refused', async () => {
      await store.storage.write('app/session/s', JSON.stringify(session('s', 'a')))
      await store.storage.write('app/session/t', JSON.stringify(session('t', 'a')))
      const key = { idempotencyKey: 'a-key' }
      const receipt = await endOf(ask({ sessionid: 's' }, key))
      assert.deepStrictEqual(await endOf(ask({ sessionid: 's' }, key)), receipt)
      assert.strictEqual((await rejection(Sessions.end(ask({ sessionid: 't' }, key)))).message, 'invalid-idempotencyKey')
      assert.strictEqual('ended' in await Session.get(ask({ sessionid: 't' })), false)
      // Another administrator has keys of the own.
      const other = await Sessions.end({ ...ask({ sessionid: 't' }, key), account: account('b') })
      assert.deepStrictEqual([receipt.ended, other.ended], [1, 1])
    })

    it('are removed after a day, also those that cannot be read', async () => {
      await addSession('s', 'a')
      const names = ['new', 'old', 'locked', 'a', 'b', 'c'].map((key) => receiptName(appid, undefined, key))
      await endOf(ask({ sessionid: 's' }, { idempotencyKey: 'new' }))
      await put(names[1], JSON.stringify({ time: Date.now() / 1000 - 86401 }))
      await put(names[2], '0123456789abcdef')
      await put(names[3], 'null')
      await put(names[4], '{"time":"x"}')
      await put(names[5], '[]')
      await pruneReceipts(mainStore())
      const left = await Promise.all(names.map((name) => store.storage.exists(name)))
      assert.deepStrictEqual(left, [true, false, false, false, false, false])
    })

    it('say that sessions have ended only when all have', async () => {
      const count = 1100
      const ids = Array.from({ length: count }, (_, index) => `s${index}`)
      await Promise.all(ids.map(async (id) => {
        await store.storage.write(`app/session/${id}`, JSON.stringify(session(id, 'a')))
        await store.storageList.add('app/account/sessions/a', id)
      }))
      const native = mainStore()
      const end = native.end
      let calls = 0
      native.end = (...args) => ++calls === 2 ? Promise.reject(new Error('interrupted')) : end.apply(native, args)
      const request = () => endOf(ask({ accountid: 'a', before: '9' }, { idempotencyKey: 'a-key' }))
      assert.strictEqual((await rejection(request())).message, 'interrupted')
      const again = await request()
      assert.deepStrictEqual([again.ended, await request()], [100, again])
      const ended = await Promise.all(ids.map(async (sessionid) => 'ended' in await Session.get(ask({ sessionid }))))
      assert.strictEqual(ended.filter(Boolean).length, count)
    }).timeout(60000)
  })

  it('an end of those before a time takes sessions that do not say when they were created', async () => {
    for (const [sessionid, created] of [['s', undefined], ['t', 'x'], ['u', 5], ['v', 50]]) {
      await addSession(sessionid, 'a', { created })
    }
    const { sessionids } = await Sessions.end(ask({ accountid: 'a', before: '20' }))
    assert.deepStrictEqual(sessionids.sort(), ['s', 't', 'u'])
    await addSession('w', 'a', { created: null })
    assert.deepStrictEqual((await Sessions.end(ask({ accountid: 'a', idleSince: '20' }))).sessionids, ['w'])
  })

  it('an end leaves nothing that keeps the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    // mocha begins to count the time of a test when that waits for the first time.
    await store.storage.exists('file')
    const before = timers()
    await Sessions.end(ask({ accountid: 'a' }))
    assert.strictEqual(timers(), before)
  })

  async function addSession (sessionid, accountid, more = {}) {
    await store.storage.write(`app/session/${sessionid}`, JSON.stringify({ ...session(sessionid, accountid), ...more }))
    await store.storageList.add(`app/account/sessions/${accountid}`, sessionid)
  }

  // Records of this package cannot be written by Dashboard's calls alone.
  function put (name, text) {
    return mainStore().replace([], [], [name], [text])
  }

  async function ownRecords () {
    const found = []
    for await (const { record, contents } of entriesOf(mainStore())) {
      if (record?.startsWith('dashboard-sled/')) {
        found.push([record, contents.toString()])
      }
    }
    return found
  }

  // As over HTTP.
  async function endOf (req) {
    return JSON.parse(JSON.stringify(await Sessions.end(req)))
  }

  function reset (accountid = 'a') {
    return ResetSessionKey.patch(ask({ accountid }))
  }
})
