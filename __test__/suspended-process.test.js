/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const { setTimeout: wait } = require('timers/promises')
const { runNode, useStore } = require('./helper.js')
const { until } = require('./helpers/times.js')

// A process that is stopped, or whose machine sleeps, is usually stopped in the middle of a commit.
describe('suspended process', () => {
  const store = useStore()

  it('goes on after it was stopped for longer than SLED_COMMIT_SECONDS', async () => {
    const env = { SLED_PATH: path.join(store.folder, 'other'), SLED_COMMIT_SECONDS: '1' }
    const { child, ended } = runNode('writer-that-is-stopped.js', { env })
    let last
    child.on('message', (message) => { last = message })
    await until(() => last && last.written > 10)
    for (let round = 0; round < 4; round++) {
      child.kill('SIGSTOP')
      await wait(2500)
      const before = last.written
      child.kill('SIGCONT')
      await until(() => last.error || last.written > before + 10)
      assert.strictEqual(last.error, undefined, last.cause)
    }
    child.kill('SIGKILL')
    await ended
  }).timeout(60000)
})
