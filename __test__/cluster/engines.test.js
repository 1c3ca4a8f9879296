/* eslint-env mocha */
const assert = require('assert')
const fc = require('fast-check')
const fs = require('fs')
const path = require('path')
const { makeFolder } = require('../helper.js')
const { startNode } = require('./nodes.js')
const { Cluster } = require('./servers.js')

const runs = process.env.CLUSTER === 'long' ? 2000 : 150

// The embedded engine is the model: the same random calls have the same answers on both.
describe('both engines', function () {
  this.timeout(1200000)
  const cluster = new Cluster({ standbys: 1 })
  const folder = makeFolder()
  const nodes = []
  before(async () => {
    await cluster.start()
    nodes.push(startNode(cluster.url()), startNode(undefined, { SLED_PATH: path.join(folder, 'store') }))
    await Promise.all(nodes.map((node) => node.open()))
  })
  after(async () => {
    await Promise.all(nodes.map((node) => node.end()))
    await cluster.stop()
    fs.rmSync(folder, { recursive: true })
  })

  const ids = ['1', '2']
  const account = (id) => `dashboard/account/account_${id}`
  const session = (id) => `dashboard/session/session_${id}`
  const writeAccount = (id, more) => ['storage', 'write', account(id), JSON.stringify({ object: 'account', accountid: `account_${id}`, sessionKey: 'k1', sessionKeyNumber: 1, passwordHash: 'p1', ...more })]
  const writeSession = (id, owner, more) => ['storage', 'write', session(id), JSON.stringify({ object: 'session', sessionid: `session_${id}`, accountid: `account_${owner}`, tokenHash: 't', expires: 4102444800, sessionKeyNumber: 1, ...more })]
  const files = [...ids.map(account), ...ids.map(session), 'text', 'k'.repeat(500), '\ud800']
  const lists = ['l', 'l'.repeat(300), 'dashboard/accounts']

  const changes = ['write', 'writeKept', 'reset', 'delete', 'setProperties', 'setProperty', 'removeProperties', 'add', 'addMany', 'remove']

  // Few values, so that one that was retired comes again.
  const properties = fc.record({
    sessionKey: fc.constantFrom('k1', 'k2', 'k3'),
    sessionKeyNumber: fc.integer({ min: 1, max: 6 }),
    passwordHash: fc.constantFrom('p1', 'p2', 'p3'),
    passwordLastChanged: fc.constantFrom(5, 9),
    ended: fc.constantFrom(5, 9),
    lastSignedIn: fc.integer({ min: 1, max: 9 }),
    name: fc.constantFrom('', 'a', '"\\\u0000\ud800'),
    deleted: fc.constant(null)
  }, { requiredKeys: [] })
  const property = fc.constantFrom('sessionKey', 'sessionKeyNumber', 'ended', 'name', 'missing')
  const id = fc.constantFrom(...ids)
  const file = fc.constantFrom(...files)
  const list = fc.constantFrom(...lists)
  const item = fc.constantFrom('a', 'b', 1, true, 'i'.repeat(300), 'i'.repeat(299) + 'j')
  const call = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(id, properties).map(([id, more]) => writeAccount(id, more)) },
    { weight: 2, arbitrary: fc.tuple(id, id, properties).map(([id, owner, more]) => writeSession(id, owner, more)) },
    { weight: 3, arbitrary: id.map((id) => ['', 'reset', `account_${id}`]) },
    { weight: 2, arbitrary: id.map((id) => ['', 'session', `session_${id}`]) },
    id.map((id) => ['', 'account', `account_${id}`]),
    { weight: 2, arbitrary: id.map((id) => ['', 'keep', account(id)]) },
    { weight: 3, arbitrary: fc.tuple(id, properties).map(([id, more]) => ['', 'writeKept', account(id), more]) },
    fc.constant(['', 'reopen']),
    fc.tuple(file, fc.constantFrom('text', '', '{"object":"profile"}', '[]', 'x'.repeat(9000))).map(([file, text]) => ['storage', 'write', file, text]),
    file.map((file) => ['storage', 'read', file]),
    file.map((file) => ['storage', 'exists', file]),
    file.map((file) => ['storage', 'delete', file]),
    { weight: 2, arbitrary: fc.tuple(file, properties).map(([file, more]) => ['objects', 'setProperties', file, more]) },
    fc.tuple(file, property, fc.constantFrom('k1', 'k2', 1, 7)).map(([file, name, value]) => ['objects', 'setProperty', file, name, value]),
    fc.tuple(file, fc.array(property)).map(([file, names]) => ['objects', 'removeProperties', file, names]),
    fc.tuple(file, property).map(([file, name]) => ['objects', 'getProperty', file, name]),
    { weight: 3, arbitrary: fc.tuple(list, item).map(([list, item]) => ['lists', 'add', list, item]) },
    fc.tuple(item, item).map(([one, other]) => ['lists', 'addMany', { [lists[0]]: one, [lists[1]]: other }]),
    fc.tuple(list, item).map(([list, item]) => ['lists', 'remove', list, item]),
    fc.tuple(list, item).map(([list, item]) => ['lists', 'exists', list, item]),
    fc.tuple(list, fc.nat(4), fc.nat(4)).map(([list, offset, size]) => ['lists', 'list', list, offset, size])
  )
  const everything = [
    ...files.map((file) => [['storage', 'read', file]]),
    ...ids.flatMap((id) => [[['', 'account', `account_${id}`]], [['', 'session', `session_${id}`]]]),
    ...lists.flatMap((list) => [[['lists', 'count', list]], [['lists', 'listAll', list]]])
  ]

  it(`answer ${runs} random sequences of calls in the same way`, async () => {
    const tally = {}
    await fc.assert(fc.asyncProperty(fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { minLength: 5, maxLength: 25, size: '+1' }), async (groups) => {
      // Changes that are made at once happen in their order, on both. A read beside them may be before or after.
      const separate = groups.flatMap((group) => group.every(([, name]) => changes.includes(name)) ? [group] : group.map((call) => [call]))
      const steps = [[['storage', 'flush']], ids.map((id) => writeAccount(id)), ids.map((id) => writeSession(id, id)), ...separate, ...everything, [['', 'reopen']], ...everything]
      const [ours, model] = (await Promise.all(nodes.map((node) => node.sequence(steps)))).map(withoutChance)
      assert.deepStrictEqual(ours, model)
      for (const [name, outcome] of model) {
        const kind = `${name}${outcome?.message ? `: ${outcome.message}` : ''}`
        tally[kind] = (tally[kind] || 0) + 1
      }
    }), { numRuns: runs, endOnFailure: false })
    console.log('     ', JSON.stringify(tally))
    for (const kind of ['reset', 'session', 'writeKept', 'setProperties', 'list']) {
      assert(tally[kind] > runs / 2, kind)
    }
  })
})

// New session keys are random, so they are numbered in the order of their appearance. The times of a reset and of an end
// are the clock's.
function withoutChance (outcomes) {
  const keys = new Map()
  const text = JSON.stringify(outcomes)
    .replace(/[0-9a-f]{64}/g, (key) => `key ${keys.has(key) ? keys.get(key) : keys.set(key, keys.size).get(key)}`)
    .replace(/((?:sessionKeyLastReset|ended)\\*":)\d{9,}/g, (_, name) => `${name}0`)
  return JSON.parse(text)
}
