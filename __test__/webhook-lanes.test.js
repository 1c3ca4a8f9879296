/* eslint-env mocha */
const assert = require('assert')
const { isPublic } = require('../lib/events/addresses.js')
const Lanes = require('../lib/events/lanes.js')
const { seeded } = require('./helpers/random.js')

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR

describe('lanes of webhooks', () => {
  it('an entry is tried for three days, with delays that grow', () => {
    for (const seed of [1, 2, 3]) {
      const lanes = new Lanes({ random: seeded(seed) })
      lanes.add('a', 1)
      const delays = []
      let [now, attempts] = [0]
      while (attempts === undefined) {
        const [lane] = lanes.take(now, 1)
        attempts = lanes.failed(lane, now)
        delays.push(lane.due - now)
        now = attempts === undefined ? lane.due : now
      }
      assert(now >= 3 * DAY && now < 3.6 * DAY, String(now / DAY))
      assert(attempts >= Lanes.MOST_ATTEMPTS && attempts < 26)
      delays.slice(0, 6).forEach((delay, index) => assert(delay >= 0.75 * 5000 * 3 ** index && delay <= 1.25 * 5000 * 3 ** index, String(delay)))
      assert(delays.every((delay) => delay <= 1.25 * 6 * HOUR))
      assert.strictEqual(new Set(delays).size, delays.length)
      assert.deepStrictEqual(lanes.snapshot(), [])
    }
  })
  it('three days without the process do not count', () => {
    const lanes = new Lanes()
    lanes.add('a', 1)
    for (const now of [0, 5 * DAY, 10 * DAY]) {
      const [lane] = lanes.take(now, 1)
      assert.strictEqual(lanes.failed(lane, now), undefined)
    }
  })
  it('each entry is tried for three days from its own first attempt, however long it has waited', () => {
    const lanes = new Lanes({ random: seeded(4) })
    const numbers = [1, 2, 3]
    numbers.forEach((number) => lanes.add('a', number))
    const tries = new Map()
    let now = 0
    while (lanes.nextDue() < Infinity) {
      now = Math.max(now, lanes.nextDue())
      const [lane] = lanes.take(now, 1)
      const [number] = lane.numbers
      const { first = now, count = 0 } = tries.get(number) || {}
      const attempts = lanes.failed(lane, now)
      tries.set(number, { first, count: count + 1, attempts, took: now - first })
      // The account goes on failing: what waits behind does not hold up new entries.
      assert.deepStrictEqual([lanes.failing, lanes.healthy], lanes.nextDue() < Infinity ? [1, 0] : [0, 0])
    }
    for (const number of numbers) {
      const { attempts, count, took } = tries.get(number)
      assert(took >= 3 * DAY && took < 3.6 * DAY, String(took / DAY))
      assert.deepStrictEqual([attempts, count >= Lanes.MOST_ATTEMPTS], [count, true])
    }
    assert(tries.get(2).first - tries.get(1).first - tries.get(1).took <= 1000)
  })
  it('an entry that was tried keeps its days over a restart, and one of an older record begins them', () => {
    for (const [since, given] of [[1000, 20], [undefined, undefined]]) {
      const lanes = new Lanes()
      lanes.restore([['a', 1, 1, 19, 0, 0, since].filter((value) => value !== undefined)], 4 * DAY)
      const [lane] = lanes.take(4 * DAY, 1)
      assert.strictEqual(lanes.failed(lane, 4 * DAY), given)
    }
  })
  it('a clock that goes back lets no entry wait longer than the longest delay, nor be tried for longer', () => {
    for (const isRestarted of [false, true]) {
      const before = new Lanes()
      before.add('a', 1)
      for (let attempts = 0; attempts < 19; attempts++) {
        const [lane] = before.take(Infinity, 1)
        before.failed(lane, 1000 * DAY)
      }
      const lanes = isRestarted ? new Lanes() : before
      if (isRestarted) {
        lanes.restore(before.snapshot(), 0)
        assert(lanes.nextDue() <= 7.5 * HOUR, String(lanes.nextDue()))
      }
      assert.deepStrictEqual(lanes.take(0, 1), [])
      assert(lanes.nextDue() > HOUR && lanes.nextDue() <= 7.5 * HOUR, String(lanes.nextDue()))
      const [lane] = lanes.take(7.5 * HOUR, 1)
      assert.strictEqual(lanes.failed(lane, 7.5 * HOUR), undefined)
      assert.strictEqual(lanes.failed(lanes.take(4 * DAY, 1)[0], 4 * DAY), 21)
    }
  })
  it('Retry-After counts, up to the longest delay', () => {
    const lanes = new Lanes()
    lanes.add('a', 1)
    for (const [retryAfter, least, most] of [[HOUR, HOUR, HOUR], [1000 * DAY, 6 * HOUR, 6 * HOUR], [1, 30000, 60000]]) {
      const [lane] = lanes.take(Infinity, 1)
      lanes.failed(lane, 0, { retryAfter })
      assert(lane.due >= least && lane.due <= most, String(lane.due))
    }
  })
  it('when the receiver answers again, lanes without an answer are tried again, and others are not', () => {
    const lanes = new Lanes()
    'abc'.split('').forEach((key, index) => lanes.add(key, index))
    const [a, b, c] = lanes.take(0, 3)
    for (let i = 0; i < 8; i++) {
      lanes.failed(a, 0, { isDown: true })
      lanes.failed(b, 0)
    }
    lanes.succeeded(c, 0)
    assert(a.due <= 5000 && b.due > HOUR, String([a.due, b.due]))
    // At most once a minute.
    lanes.failed(a, 1000, { isDown: true })
    lanes.add('c', 3)
    lanes.succeeded(lanes.take(1000, 1)[0], 1000)
    assert(a.due > HOUR)
  })
  it('counts what it has, and comes back from a snapshot', () => {
    const random = seeded(20)
    const lanes = new Lanes({ random })
    const expected = new Map()
    let [now, number] = [0, 0]
    for (let i = 0; i < 20000; i++) {
      now += 1000
      if (random() < 0.55) {
        const key = `k${Math.floor(random() * 30)}`
        lanes.add(key, ++number)
        expected.set(key, [...(expected.get(key) || []), number])
      }
      for (const lane of lanes.take(now, 3)) {
        if (random() < 0.6) {
          assert.strictEqual(lane.numbers[0], expected.get(lane.key).shift())
          lanes.succeeded(lane, now)
        } else {
          lanes.failed(lane, now, { isDown: random() < 0.5 })
        }
      }
      if (i % 1000 === 0) {
        const all = [...lanes.lanes.values()]
        assert.strictEqual(lanes.failing, all.filter(({ isFailing }) => isFailing).length)
        assert.strictEqual(lanes.healthy, all.filter(({ isFailing }) => !isFailing).reduce((sum, { numbers }) => sum + numbers.length, 0))
        const waiting = [...expected].filter(([, numbers]) => numbers.length)
        assert.deepStrictEqual(lanes.snapshot().map(([key, first, last]) => [key, first, last]).sort(), waiting.map(([key, numbers]) => [key, numbers[0], numbers[numbers.length - 1]]).sort())
        assert.strictEqual(lanes.oldest(), Math.min(...waiting.map(([, numbers]) => numbers[0])))
        const restored = new Lanes()
        restored.restore(lanes.snapshot(), now)
        assert.deepStrictEqual(restored.snapshot().map(([key, first, , attempts]) => [key, first, attempts]), lanes.snapshot().map(([key, first, , attempts]) => [key, first, attempts]))
        assert.deepStrictEqual([restored.failing, restored.healthy], [lanes.failing, all.filter(({ attempts }) => !attempts).length])
      }
    }
    assert(number > 10000)
  })
})

describe('addresses that webhooks may be sent to', () => {
  const refused = [
    '127.0.0.1', '127.255.255.254', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0',
    '192.0.0.1', '192.0.2.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '::', '::1', '::127.0.0.1', '::ffff:10.0.0.1', 'fe80::1',
    'fe80::1%eth0', 'fec0::1', 'fc00::1', 'fd12::1', 'ff02::1', '64:ff9b::7f00:1', '64:ff9b:1::1', '2002:7f00:1::1', '2001::1', '2001:db8::1', 'localhost', '', '1.2.3.4.5'
  ]
  for (const address of refused) {
    it(`not ${address || 'an empty text'}`, () => assert.strictEqual(isPublic(address), false))
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '172.15.0.1', '2606:4700::1111', '::ffff:8.8.8.8']) {
    it(address, () => assert.strictEqual(isPublic(address), true))
  }
})
