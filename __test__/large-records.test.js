/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const addon = require('../index.js')
const { runNode, useStore } = require('./helper.js')

const SIZE = 64 << 20

// Measured in its own process, because a peak never falls.
describe('large records', () => {
  const store = useStore()

  it('a write takes less than three times its size in memory', async function () {
    if (process.platform !== 'linux') {
      return this.skip()
    }
    const { child, ended } = runNode('large.js', { env: { SLED_PATH: path.join(store.folder, 'other'), SIZE: String(SIZE) } })
    const [{ rose }] = await once(child, 'message')
    await ended
    assert(rose > SIZE / 2, `${rose} bytes: it was not measured`)
    assert(rose < 3 * SIZE, `${rose} bytes`)
  }).timeout(60000)

  it('small writes that were acknowledged between the slices of a long one outlive kill -9', async function () {
    const folder = path.join(store.folder, 'killed')
    const env = { SLED_PATH: folder }
    let [first, beside] = [0, 0]
    // More rounds on a machine that acknowledges few writes in that time.
    for (let round = 0; round < 8 || (beside <= 8 && round < 40); round++) {
      let last = first - 1
      const { child, ended } = runNode('long-writes.js', { env: { ...env, FIRST: String(first) } })
      child.on('message', (number) => { last = number })
      await once(child, 'message')
      await sleep(100 + round % 8 * 40)
      child.kill('SIGKILL')
      await ended
      const reopened = await addon.open({ path: folder })
      try {
        const { problems } = await reopened.verify()
        assert.strictEqual(problems, 0)
        const small = Number(await reopened.storage.read('small'))
        assert(small >= last, `${small} is there, ${last} was acknowledged`)
        const long = await reopened.storage.read('long')
        assert(long === undefined || new Set(long).size === 1, 'the long record is whole')
        beside += last - first
        first = small + 1
      } finally {
        await reopened.close()
      }
    }
    assert(beside > 8, `only ${beside} small writes were acknowledged beside the long ones`)
  }).timeout(60000)
})
