/* eslint-env mocha */
const assert = require('assert')
const { Cluster, until } = require('./servers.js')
const { makeAccount, startNodes } = require('./nodes.js')

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const rounds = process.env.CLUSTER === 'long' ? 10 : 2

// Three nodes reset accounts while the primary is killed and a standby takes its place. The number that each reset returned was
// acknowledged, so the stored number must not be below it afterwards.
describe('a primary that is killed', () => {
  for (let round = 1; round <= rounds; round++) {
    it(`loses no acknowledged reset, and no ended session is let in, ${round}`, async () => {
      const { acknowledged, lost, alive, gap } = await failOver({ isSynchronous: true })
      console.log(`      ${acknowledged} acknowledged, ${lost} lost, longest wait ${gap} ms`)
      assert(acknowledged > 100)
      assert.deepStrictEqual({ lost, alive }, { lost: 0, alive: 0 })
    }).timeout(90000)
  }
  it('control: without synchronous standbys it loses some', async () => {
    const { acknowledged, lost } = await failOver({ isSynchronous: false })
    console.log(`      ${acknowledged} acknowledged, ${lost} lost`)
    assert(lost > 0)
  }).timeout(90000)

  async function failOver ({ isSynchronous }) {
    const cluster = new Cluster({ isSynchronous })
    let nodes = []
    try {
      await cluster.start()
      if (!isSynchronous) {
        process.env.SLED_DURABILITY = 'external'
      }
      nodes = await startNodes(3, cluster.url())
      const accounts = nodes.map((_, n) => `account_${n}`)
      const highest = {}
      let acknowledged = 0
      let gap = 0
      for (const [n, node] of nodes.entries()) {
        await makeAccount(node, { accountid: accounts[n], sessionid: `session_${n}` })
        node.onevent = ({ result, took, error }) => {
          assert(!error, error)
          acknowledged++
          gap = Math.max(gap, Math.round(took))
          highest[accounts[n]] = Math.max(highest[accounts[n]] || 0, result)
        }
      }
      const loops = nodes.map((node, n) => node.repeat('reset', accounts[n]))
      await pause(1000)
      const [primary, next, other] = cluster.servers
      if (!isSynchronous) {
        // The standbys are away for a moment, as on a network that is cut.
        await Promise.all([next, other].map((standby) => cluster.kill(standby)))
        await pause(300)
      }
      await cluster.kill(primary)
      if (!isSynchronous) {
        await Promise.all(nodes.map((node) => node.stop()))
        await cluster.launch(next)
      }
      const atKill = { ...highest }
      await cluster.promote(next, { followers: isSynchronous ? [other] : [] })
      if (isSynchronous) {
        await until(() => accounts.every((account) => highest[account] > atKill[account] + 10))
        await Promise.all(nodes.map((node) => node.stop()))
      }
      await Promise.all(loops)
      let lost = 0
      let alive = 0
      for (const [n, accountid] of accounts.entries()) {
        const [{ contents }] = await cluster.query('SELECT contents FROM objects WHERE path = $1', { server: next, values: [`dashboard/account/${accountid}`] })
        lost += Math.max(0, highest[accountid] - JSON.parse(contents).sessionKeyNumber)
        alive += isSynchronous && await nodes[n].session(`session_${n}`) ? 1 : 0
      }
      return { acknowledged, lost, alive, gap }
    } finally {
      delete process.env.SLED_DURABILITY
      await Promise.all(nodes.map((node) => node.end()))
      await cluster.stop()
    }
  }
})
