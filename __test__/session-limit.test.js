/* eslint-env mocha */
const assert = require('assert')
const { Sessions } = require('../index.js')
const { mainStore } = require('../lib/open-stores.js')
const LiveOfAccount = require('../lib/sessions/live-of-account.js')
const { allOf } = require('../lib/sessions/list.js')
const { activateAlone, current, deactivate } = require('../lib/sessions/module.js')
const { endOverLimit } = require('../lib/sessions/policies.js')
const { useStore } = require('./helper.js')
const { seeded } = require('./helpers/random.js')

const appid = 'app'

describe('the limit of sessions of an account', () => {
  const store = useStore()
  let count = 0
  beforeEach(async () => {
    activateAlone(mainStore())
    await store.storage.write('app/account/a', JSON.stringify({ object: 'account', accountid: 'a', sessionKey: 'k', sessionKeyNumber: 1 }))
  })
  afterEach(deactivate)

  it('knows the live sessions, whatever begins and ends', async () => {
    const random = seeded(5).below
    const live = new LiveOfAccount(mainStore())
    for (let step = 0; step < 60; step++) {
      await begin(random(90))
      const expected = await liveNow()
      for (let ends = random(4); ends && expected.length; ends--) {
        await Sessions.end({ appid, query: { sessionid: expected[random(expected.length)] } })
      }
      if (step % 20 === 19) {
        await Sessions.end({ appid, query: { accountid: 'a', except: await begin(1) } })
      }
      assert.deepStrictEqual((await live.list(appid, 'a')).map(({ sessionid }) => sessionid), await liveNow())
    }
  }).timeout(60000)

  it('ends the oldest ones, also behind many that have ended', async () => {
    const first = await begin(1)
    const second = await begin(1)
    await begin(1500)
    const many = (await liveNow()).filter((sessionid) => ![first, second].includes(sessionid))
    for (const sessionid of many) {
      await store.storage.delete(`app/session/${sessionid}`)
    }
    await endOverLimit(current(), appid, 'a', 2)
    assert.deepStrictEqual(await liveNow(), [second, first])
    const third = await begin(1)
    await endOverLimit(current(), appid, 'a', 2)
    assert.deepStrictEqual(await liveNow(), [third, second])
  }).timeout(60000)

  it('looks at few sessions after the first time', async () => {
    await begin(1500)
    await endOverLimit(current(), appid, 'a', 2)
    const asked = async () => {
      await begin(1)
      // Nothing is in memory.
      await store.reopen()
      const native = mainStore()
      const { session } = native
      let count = 0
      native.session = (...args) => { count++; return session.apply(native, args) }
      module.store = module.liveOfAccount.store = native
      await endOverLimit(module, appid, 'a', 2)
      return count
    }
    const module = activateAlone(mainStore())
    const [first, second] = [await asked(), await asked()]
    assert(first > 1500, String(first))
    assert(second > 1 && second < 100, String(second))
  }).timeout(60000)

  // Returns the last one.
  async function begin (sessions) {
    let sessionid
    for (let i = 0; i < sessions; i++) {
      sessionid = `s${++count}`
      await store.storage.write(`app/session/${sessionid}`, JSON.stringify({ object: 'session', sessionid, accountid: 'a', created: 5, expires: 4e9, sessionKeyNumber: 1 }))
      await store.storageList.add('app/account/sessions/a', sessionid)
    }
    return sessionid
  }

  async function liveNow () {
    return (await allOf(mainStore(), appid, 'a')).filter((session) => !('ended' in session)).map(({ sessionid }) => sessionid)
  }
})
