/* eslint-env mocha */
const assert = require('assert')
const { prune } = require('../lib/audit/prune.js')
const { readHead } = require('../lib/audit/read.js')
const Webhooks = require('../lib/events/webhooks.js')
const { retry, undelivered } = require('../lib/events/undelivered.js')
const { makeEnds } = require('./helpers/ends.js')
const { secret, startReceiver } = require('./helpers/receiver.js')
const { rejection, useStore } = require('./helper.js')
const { until } = require('./helpers/times.js')

const quick = { first: 20, longest: 100, limit: 1000 }

describe('webhooks', () => {
  useStore()
  let ends, receiver, running, warnings
  const noteWarning = (warning) => warnings.push(`${warning.code}: ${warning.message}`)
  beforeEach(async () => {
    warnings = []
    running = []
    process.on('warning', noteWarning)
    ends = await makeEnds()
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await Promise.all(running.map((webhooks) => webhooks.stop()))
    await receiver.close()
    process.off('warning', noteWarning)
  })

  it('each end comes once, signed, and says what happened', async () => {
    await start()
    const sessionid = await ends.end('a')
    await ends.reset('a')
    await ends.endAll()
    await until(() => receiver.accepted.length === 3)
    const [one, reset, all] = receiver.requests
    assert.deepStrictEqual([one, reset, all].map(({ event }) => event.type), ['session.ended', 'account.sessions_ended', 'application.sessions_ended'])
    assert.deepStrictEqual([one, reset, all].map(({ event }) => event.data.cause), ['ended-by-administrator', 'session-key-reset', 'application-wide'])
    const { hash, time, ...data } = one.event.data
    assert.deepStrictEqual(data, {
      event: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
      initiating_entity: 'admin',
      event_timestamp: time,
      reason_admin: 'a lost phone',
      reason_user: 'ended-by-administrator',
      object: 'audit-entry',
      number: 1,
      position: `1-${hash.slice(0, 16)}`,
      cause: 'ended-by-administrator',
      appid: 'app',
      actor: { type: 'administrator', accountid: 'the-owner' },
      address: '127.0.0.1',
      agent: 'a-browser',
      reason: 'a lost phone',
      accountid: 'a',
      sessionid
    })
    assert.strictEqual(one.id, `entry_1_${hash.slice(0, 12)}`)
    assert.deepStrictEqual([one.path, one.event.timestamp], ['/hook?key=a-key', new Date(time * 1000).toISOString()])
    assert(!receiver.requests.some(({ body }) => /the-session-key|the-hash|the-token-hash|whsec/.test(body)))
    assert.deepStrictEqual(warnings, [])
  })

  it('a secret that is being replaced signs as well', async () => {
    await start({ webhook: { secret: `whsec_${Buffer.alloc(24, 1).toString('base64')} ${secret}` } })
    await ends.end('a')
    await until(() => receiver.accepted.length === 1)
    assert.strictEqual(receiver.requests[0].headers['webhook-signature'].split(' ').length, 2)
  })

  it('events of an account come in order, whatever fails', async () => {
    let seed = 15
    receiver.answer = () => {
      seed = (seed * 16807) % 2147483647
      return seed % 3 ? 204 : seed % 2 ? 500 : 503
    }
    await start()
    const accounts = ['a', 'b', 'c', 'd']
    for (let i = 0; i < 120; i++) {
      await ends.end(accounts[i % 3 ? 0 : i % 4])
    }
    await until(() => receiver.accepted.length === 120)
    const byAccount = new Map()
    for (const { event: { data } } of receiver.requests) {
      byAccount.set(data.accountid, [...(byAccount.get(data.accountid) || []), data.number])
    }
    for (const numbers of byAccount.values()) {
      assert.deepStrictEqual(numbers, numbers.slice().sort((one, other) => one - other))
    }
    assert.deepStrictEqual(receiver.accepted.slice().sort((one, other) => one - other), Array.from({ length: 120 }, (_, index) => index + 1))
    assert(receiver.requests.length > 150)
  }).timeout(60000)

  it('an account that the receiver refuses holds up no other one, and goes on where it was', async () => {
    receiver.answer = ({ accountid }) => accountid === 'refused' ? 500 : 204
    const webhooks = await start({ times: { ...quick, first: 300, longest: 300 } })
    for (let i = 0; i < 40; i++) {
      await ends.end('refused')
      await ends.end(`account-${i % 7}`)
    }
    const begun = Date.now()
    await until(() => receiver.accepted.length === 40)
    assert(Date.now() - begun < 2000)
    assert(receiver.requests.filter(({ event }) => event.data.accountid === 'refused').every(({ event }) => event.data.number === 1))
    const { failing, lag } = await webhooks.status()
    assert.deepStrictEqual([failing, lag >= 0], [1, true])
    receiver.answer = () => 204
    await until(() => receiver.accepted.length === 80)
    assert.deepStrictEqual(receiver.accepted.slice(40), Array.from({ length: 40 }, (_, index) => 2 * index + 1))
  })

  it('one that hangs holds up no other one either', async () => {
    receiver.answer = ({ accountid }, times) => accountid === 'hangs' && times === 1 ? 'hang' : 204
    await start({ times: { ...quick, limit: 500 } })
    await ends.end('hangs')
    for (let i = 0; i < 30; i++) {
      await ends.end('other')
    }
    await until(() => receiver.accepted.length === 31)
    assert.strictEqual(receiver.accepted[30], 1)
    const [first, second] = receiver.requests.filter(({ event }) => event.data.number === 1)
    assert.strictEqual(first.id, second.id)
  })

  it('an answer is not read to its end', async () => {
    receiver.answer = ({ number }) => number === 1 ? 'endless' : 204
    await start({ times: { ...quick, limit: 10000 } })
    await ends.end('a')
    await ends.end('a')
    await until(() => receiver.requests.length === 2, { seconds: 3 })
    assert.deepStrictEqual(receiver.requests.map(({ event }) => event.data.number), [1, 2])
  })

  it('goes on after a restart, with what waited and what came meanwhile', async () => {
    receiver.answer = ({ accountid }) => accountid === 'b' ? 500 : 204
    const first = await start()
    await ends.end('a')
    await ends.end('b')
    await ends.end('b')
    await until(() => receiver.requests.length >= 2)
    await first.stop()
    await ends.end('b')
    await ends.end('a')
    receiver.answer = () => 204
    await start()
    await until(() => receiver.accepted.length === 5)
    assert.deepStrictEqual(receiver.accepted.filter((number) => [2, 3, 4].includes(number)), [2, 3, 4])
    assert.deepStrictEqual(receiver.accepted.slice().sort(), [1, 2, 3, 4, 5])
  })

  it('begins at the end of the audit, and leaves other applications out', async () => {
    await ends.end('a')
    await start()
    await ends.end('a', { appid: 'another' })
    await ends.end('a')
    await until(() => receiver.accepted.length === 1)
    assert.deepStrictEqual(receiver.accepted, [3])
  })

  it('an event that cannot be delivered for three days is kept and shown, and the next ones follow', async () => {
    receiver.answer = ({ number }) => number <= 2 ? 500 : 204
    const webhooks = await start({ times: { ...quick, first: 1, longest: 2, kept: 0 } })
    for (let number = 1; number <= 3; number++) {
      await ends.end('a')
    }
    await until(() => receiver.accepted.length === 1)
    assert.deepStrictEqual([1, 2].map((number) => receiver.requests.filter(({ event }) => event.data.number === number).length), [20, 20])
    const module = { store: ends.store, webhooks }
    const { count, events, cursor } = await until(async () => {
      const found = await undelivered(module, 'app')
      return found.count === 2 && found
    })
    assert.deepStrictEqual([count, cursor, events.map(({ number, attempts, reason, event }) => [number, attempts, reason, event.accountid])], [2, undefined, [[2, 20, 'status 500', 'a'], [1, 20, 'status 500', 'a']]])
    assert.strictEqual((await webhooks.status()).undelivered, 2)
    assert.deepStrictEqual(await undelivered(module, 'another'), { count: 0, events: [] })
    assert.strictEqual((await rejection(retry(module, 'another', 1))).message, 'invalid-number')
    assert.strictEqual((await rejection(retry(module, 'app', 3))).message, 'invalid-number')
    receiver.answer = () => 204
    assert.deepStrictEqual(await retry(module, 'app', 1), { retried: 1, left: 1 })
    await until(() => receiver.accepted.length === 2)
    assert.deepStrictEqual(await retry(module, 'app'), { retried: 1, left: 0 })
    await until(() => receiver.accepted.length === 3)
    assert.deepStrictEqual(receiver.accepted, [3, 1, 2])
    assert.deepStrictEqual(await undelivered(module, 'app'), { count: 0, events: [], cursor: undefined })
  }).timeout(60000)

  it('an entry that waits is not pruned', async () => {
    receiver.answer = ({ number }) => number === 2 ? 500 : 204
    const webhooks = await start()
    const time = Math.floor(Date.now() / 1000) - 1000
    for (const account of ['a', 'b', 'c']) {
      await ends.end(account, { time })
    }
    await until(() => receiver.accepted.length === 2 && receiver.requests.length > 3)
    await prune(ends.store, 500, await webhooks.oldest())
    assert.strictEqual((await readHead(ends.store)).first, 2)
    receiver.answer = () => 204
    await until(() => receiver.accepted.length === 3)
    await until(async () => await webhooks.oldest() === 4)
  })

  describe('addresses', () => {
    for (const hostname of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '[::ffff:127.0.0.1]']) {
      it(`${hostname} is refused`, async () => {
        const url = new URL(receiver.url)
        url.hostname = hostname
        const webhooks = await start({ webhook: { url, allowsPrivate: false } })
        await ends.end('a')
        await until(() => webhooks.failed > 1)
        assert.deepStrictEqual(receiver.requests, [])
        assert.deepStrictEqual(warnings, ['DASHBOARD_SLED_WEBHOOK: dashboard-sled, webhooks: the address of SLED_WEBHOOK_URL is private or reserved; set SLED_WEBHOOK_PRIVATE=allow if that is meant'])
      })
    }
    it('a redirect is not followed', async () => {
      receiver.answer = () => [307, { location: `http://127.0.0.1:${receiver.url.port}/elsewhere` }]
      const webhooks = await start()
      await ends.end('a')
      await until(() => webhooks.failed > 1)
      assert.deepStrictEqual([...new Set(receiver.requests.map(({ path }) => path))], ['/hook?key=a-key'])
    })
    it('no message has the URL', async () => {
      const url = new URL(receiver.url)
      await receiver.close()
      url.username = 'a-user'
      const webhooks = await start({ webhook: { url } })
      await ends.end('a')
      await until(() => webhooks.failed > 1)
      const { lanes } = webhooks
      assert.strictEqual(lanes.failing, 1)
      assert(!warnings.some((warning) => /a-key|a-user|whsec/.test(warning)), String(warnings))
    })
  })

  describe('several processes', () => {
    const shared = { isShared: true, times: { ...quick, beat: 50, lostAfter: 200, takenAfter: 400 } }

    it('one of them delivers, and the next one when it stops', async () => {
      const first = await start(shared)
      await until(() => first.lanes)
      const second = await start(shared)
      for (let i = 0; i < 20; i++) {
        await ends.end('a')
      }
      // The receiver has it a moment before the sender knows that.
      await until(() => receiver.accepted.length === 20 && first.delivered === 20)
      assert.deepStrictEqual([first.delivered, second.delivered], [20, 0])
      await first.stop()
      await ends.end('a')
      await until(() => receiver.accepted.length === 21 && second.delivered === 1)
      assert.deepStrictEqual([first.delivered, second.delivered], [20, 1])
    })
    it('the next one when it says nothing any more', async () => {
      const first = await start(shared)
      await until(() => first.lanes)
      // As a process that is stopped.
      first.wake = first.checkRecord = () => {}
      const second = await start(shared)
      await ends.end('a')
      await until(() => receiver.accepted.length === 1 && second.delivered === 1)
      assert.deepStrictEqual([first.delivered, second.delivered], [0, 1])
      delete first.wake
      delete first.checkRecord
      first.wake()
      await until(() => !first.lanes)
      await ends.end('a')
      await until(() => receiver.accepted.length === 2 && second.delivered === 2)
      assert.strictEqual(second.delivered, 2)
    })
    it('events that another process tries again', async () => {
      receiver.answer = (event, times) => times <= 20 ? 500 : 204
      const webhooks = await start({ ...shared, times: { ...shared.times, first: 1, longest: 2, kept: 0 } })
      await ends.end('a')
      const module = { store: ends.store }
      await until(async () => (await undelivered(module, 'app')).count === 1)
      assert.deepStrictEqual(await retry(module, 'app'), { retried: 1, left: 0 })
      await until(() => webhooks.delivered === 1)
    })
  })

  async function start ({ webhook, isShared = false, times = quick } = {}) {
    const webhooks = new Webhooks({ store: ends.store, ledger: ends.ledger, appid: 'app', webhook: { url: receiver.url, secret, allowsPrivate: true, ...webhook }, isShared, times })
    webhooks.start()
    await webhooks.ready
    running.push(webhooks)
    return webhooks
  }
})
