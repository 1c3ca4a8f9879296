/* eslint-env mocha */
const assert = require('assert')
const { secret, startReceiver } = require('../helpers/receiver.js')
const { until } = require('../helpers/times.js')
const { Cluster } = require('./servers.js')
const { startNode, startNodes } = require('./nodes.js')

describe('events of several nodes', () => {
  const cluster = new Cluster()
  let nodes, receiver, url
  before(async () => {
    await cluster.start()
    receiver = await startReceiver()
  })
  after(async () => {
    await receiver.close()
    await cluster.stop()
  })
  beforeEach(async () => {
    url = await cluster.database('events')
    nodes = await startNodes(3, url)
  })
  afterEach(() => Promise.all(nodes.map((node) => node.end())))

  it('every node watches what all nodes end', async () => {
    const watching = nodes.map((node) => node.events(0, 90))
    await Promise.all(nodes.map(async (node, n) => {
      for (let i = 0; i < 30; i++) {
        await node.endSession(`account-${n}`)
      }
    }))
    const all = Array.from({ length: 90 }, (_, index) => index + 1)
    assert.deepStrictEqual(await Promise.all(watching), [all, all, all])
    assert.deepStrictEqual(await nodes[2].events(85, 5), [86, 87, 88, 89, 90])
  }).timeout(60000)

  it('one node delivers; when it is killed amid deliveries, another one goes on and leaves none out', async () => {
    const times = { first: 50, longest: 300, limit: 500, beat: 300, lostAfter: 1000, takenAfter: 2000 }
    receiver.answer = ({ number }, times) => number % 9 === 0 && times < 4 ? 500 : 204
    await Promise.all(nodes.map((node) => node.deliver(receiver.url.href, secret, times)))
    const ended = []
    let kills = 0
    for (let round = 0; round < 3; round++) {
      const delivering = await until(async () => {
        const found = await Promise.all(nodes.map((node) => node.status()))
        assert(found.filter(({ delivers }) => delivers).length <= 1)
        return nodes[found.findIndex(({ delivers }) => delivers)]
      })
      const working = nodes.map(async (node, n) => {
        for (let i = 0; i < 40 && node.child.connected; i++) {
          const sessionid = await node.endSession(`account-${i % 3}`).catch(() => {})
          if (sessionid) {
            ended.push(sessionid)
          }
        }
      })
      await until(() => receiver.accepted.length > 10 + round * 60)
      await delivering.end()
      kills++
      await Promise.all(working)
      const next = startNode(url)
      nodes = [...nodes.filter((node) => node !== delivering), next]
      await next.open()
      await next.deliver(receiver.url.href, secret, times)
    }
    const missing = () => {
      const accepted = new Set(receiver.accepted)
      const arrived = new Set(receiver.requests.filter(({ event }) => accepted.has(event.data.number)).map(({ event }) => event.data.sessionid))
      return ended.filter((sessionid) => !arrived.has(sessionid))
    }
    await until(() => !missing().length, { every: 100, seconds: 60 })
    assert(ended.length > 200 && kills === 3, String(ended.length))
    // In order for each account, by the first arrival.
    const accountOf = new Map(receiver.requests.map(({ event }) => [event.data.number, event.data.accountid]))
    for (const account of new Set(accountOf.values())) {
      const numbers = [...new Set(receiver.accepted)].filter((number) => accountOf.get(number) === account)
      assert.deepStrictEqual(numbers, numbers.slice().sort((one, other) => one - other))
    }
  }).timeout(180000)
})
