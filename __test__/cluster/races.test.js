/* eslint-env mocha */
const assert = require('assert')
const { Cluster } = require('./servers.js')
const { ACCOUNT, makeAccount, startNodes } = require('./nodes.js')

describe('nodes that change the same records at once', () => {
  const cluster = new Cluster()
  const record = `dashboard/account/${ACCOUNT}`
  let nodes
  before(async () => {
    await cluster.start()
    nodes = await startNodes(3, cluster.url())
  })
  after(async () => {
    await Promise.all((nodes || []).map((node) => node.end()))
    await cluster.stop()
  })
  const stored = async () => JSON.parse(await nodes[0].read(record))

  it('300 resets raise the number by 300', async () => {
    await makeAccount(nodes[0])
    const numbers = await Promise.all(nodes.map((node) => node.resets(ACCOUNT, 100)))
    assert.strictEqual((await stored()).sessionKeyNumber, 301)
    assert.strictEqual(new Set(numbers.flat()).size, 300)
  })
  it('300 stale writes of other nodes undo no reset and bring no key back', async () => {
    await makeAccount(nodes[0])
    const before = await stored()
    let undone = 0
    for (let round = 0; round < 10; round++) {
      const stale = { ...await stored(), lastSignedIn: round }
      const texts = Array.from({ length: 15 }, (_, i) => JSON.stringify({ ...stale, profileid: `p${i}` }))
      const [number] = await Promise.all([nodes[0].reset(ACCOUNT), nodes[1].writes(record, texts), nodes[2].writes(record, texts)])
      const after = await stored()
      undone += after.sessionKeyNumber < number || after.sessionKey === stale.sessionKey ? 1 : 0
    }
    assert.strictEqual(undone, 0)
    assert.notStrictEqual((await stored()).sessionKey, before.sessionKey)
  })
  it('one item that three nodes add is in the list once, and each node finds all items', async () => {
    await Promise.all(nodes.flatMap((node, n) => Array.from({ length: 50 }, (_, i) => [node.add('l', 'same'), node.add('l', `${n}-${i}`)]).flat()))
    const lists = await Promise.all(nodes.map((node) => node.listAll('l')))
    assert.deepStrictEqual(lists.map((items) => [items.length, new Set(items).size]), [[151, 151], [151, 151], [151, 151]])
  })
  it('a session that a reset on one node has ended is ended on the others when the reset is acknowledged', async () => {
    for (let round = 0; round < 30; round++) {
      const [accountid, sessionid] = [`account_r${round}`, `session_r${round}`]
      await makeAccount(nodes[0], { accountid, sessionid })
      assert.deepStrictEqual(await Promise.all(nodes.map((node) => node.session(sessionid))), [true, true, true])
      await nodes[round % 3].reset(accountid)
      assert.deepStrictEqual(await Promise.all(nodes.map((node) => node.session(sessionid))), [false, false, false])
    }
  })
  it('a program that knows nothing of us is not overwritten: a change is computed anew from what it wrote', async () => {
    await makeAccount(nodes[0])
    let lost = 0
    for (let round = 0; round < 30; round++) {
      const [number] = await Promise.all([
        nodes[round % 3].reset(ACCOUNT),
        cluster.query("UPDATE objects SET contents = convert_to(replace(convert_from(contents, 'UTF8'), '}', $2), 'UTF8') WHERE path = $1", { values: [record, `,"outside${round}":1}`] })
      ])
      const after = await stored()
      lost += after[`outside${round}`] === 1 && after.sessionKeyNumber === number ? 0 : 1
    }
    assert.strictEqual(lost, 0)
  })
})
