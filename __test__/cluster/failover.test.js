/* eslint-env mocha */
const assert = require('assert')
const { Patroni } = require('./patroni.js')
const { Resets } = require('./resets.js')
const { Cluster } = require('./servers.js')

const isLong = process.env.CLUSTER === 'long'
const rounds = isLong ? 10 : 2

// Three nodes reset accounts while the primary is killed and a standby takes its place.
describe('a primary that is killed', function () {
  this.timeout(180000)
  let cluster, resets
  afterEach(async () => {
    await resets?.end()
    await cluster?.stop()
    cluster = resets = undefined
  })

  for (let round = 1; round <= rounds; round++) {
    it(`loses no acknowledged reset, and no ended session is let in, ${round}`, async () => {
      cluster = await new Cluster().start()
      resets = await Resets.begin(cluster.url())
      await resets.more(300)
      await cluster.kill(cluster.servers[0])
      const next = await cluster.replacePrimary()
      await resets.more(10)
      await resets.stop()
      await judge((sql) => cluster.query(sql, { server: next }))
    })
  }
  it('control: without synchronous standbys it loses some', async () => {
    cluster = await new Cluster({ isSynchronous: false }).start()
    const [primary, next, other] = cluster.servers
    resets = await Resets.begin(cluster.url(), { SLED_DURABILITY: 'external', SLED_COMMIT_SECONDS: '2' })
    await resets.more(300)
    // The standbys are away for a moment, as on a network that is cut.
    await Promise.all([next, other].map((standby) => cluster.kill(standby)))
    await resets.more(10)
    await cluster.kill(primary)
    await resets.stop()
    await cluster.launch(next)
    await cluster.promote(next)
    const lost = await resets.countLost((sql) => cluster.query(sql, { server: next }))
    console.log(`      ${resets.acknowledged} acknowledged, ${lost} lost`)
    assert(lost > 0)
  })
  isLong && it(`replaced by Patroni, ${rounds} times, loses none either`, async function () {
    this.timeout(1200000)
    cluster = new Patroni()
    const missing = await cluster.install()
    if (missing) {
      console.warn(`SKIPPED: a failover by Patroni, since ${missing}`)
      this.skip()
    }
    await cluster.start()
    resets = await Resets.begin(cluster.url())
    for (let round = 1; round <= rounds; round++) {
      await resets.more(300)
      const killed = await cluster.killPrimary()
      await resets.more(10)
      console.log(`      ${round}: ${killed.name} was replaced by ${(await cluster.primary()).name}`)
      await cluster.launch(killed)
      await cluster.isWhole()
    }
    await resets.stop()
    await judge((sql) => cluster.query(sql))
  })

  async function judge (query) {
    const [lost, alive] = [await resets.countLost(query), await resets.countAlive()]
    console.log(`      ${resets.acknowledged} acknowledged, ${lost} lost, ${alive} alive, longest wait ${resets.longest} ms`)
    assert.deepStrictEqual({ lost, alive }, { lost: 0, alive: 0 })
  }
})
