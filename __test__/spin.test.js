/* eslint-env mocha */
const assert = require('assert')
const os = require('os')
const { performance } = require('perf_hooks')
const native = require('../lib/native.js')

describe('dashboard-sled/spin', () => {
  const modulePath = require.resolve('../lib/spin.js')
  const { deliver } = native
  const { now } = performance
  let clock, turns, spinFor

  before(function () {
    // Nothing spins there.
    if (os.cpus().length === 1) {
      this.skip()
    }
  })

  beforeEach(() => {
    clock = 1000
    performance.now = () => clock
    delete require.cache[modulePath]
    spinFor = require(modulePath).spinFor
  })

  afterEach(() => {
    performance.now = now
    native.deliver = deliver
    delete require.cache[modulePath]
  })

  // Returns how many turns of the event loop it spins, each of which takes `milliseconds`, for a promise that is kept after
  // `count` of them.
  async function spin (count, milliseconds) {
    turns = 0
    native.deliver = () => {
      turns++
      clock += milliseconds
      return turns < count ? 1 : 0
    }
    spinFor(Promise.resolve())
    for (let i = 0; i < 20; i++) {
      await new Promise(setImmediate)
    }
    return turns
  }

  it('should spin until the result is there, or for 0.4 ms', async () => {
    assert.strictEqual(await spin(3, 0.1), 3)
    assert.strictEqual(await spin(10, 0.1), 4)
  })

  it('should not spin for a while after it has spun in vain, and longer each time', async () => {
    for (const pause of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512]) {
      assert.strictEqual(await spin(10, 1), 1)
      clock += pause - 0.5
      assert.strictEqual(await spin(1, 0), 0)
      clock += 0.5
    }
    // A result that comes in time halves the pause.
    assert.strictEqual(await spin(1, 0.1), 1)
    assert.strictEqual(await spin(10, 1), 1)
    clock += 255.5
    assert.strictEqual(await spin(1, 0), 0)
    clock += 0.5
    assert.strictEqual(await spin(1, 0), 1)
  })
})
