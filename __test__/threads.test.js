/* eslint-env mocha */
const assert = require('assert')
const { runNode } = require('./helper.js')
const { names } = require('./fixtures/thread-orders.js')

// Only the release build has its own allocator, which these tests are mainly for.
describe('threads', () => {
  describe('load the addon and end in any order:', () => {
    for (const name of names) {
      it(name, async () => {
        for (let round = 0; round < 3; round++) {
          const { code, signal, stderr } = await runNode('thread-orders.js', { args: [name] }).ended
          assert.deepStrictEqual([code, signal, stderr], [0, null, ''])
        }
      }).timeout(60000)
    }
  })
})
