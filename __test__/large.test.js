/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const path = require('path')
const { runNode, useStore } = require('./helper.js')

const SIZE = 64 << 20

// A process of its own, since a peak never falls.
describe('large', () => {
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
})
