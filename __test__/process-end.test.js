/* eslint-env mocha */
const assert = require('assert')
const { runNode, useStore } = require('./helper.js')

const rounds = 50

describe('process end', () => {
  const store = useStore()
  const endings = {
    'by itself': { ending: 'itself', code: 0, all: true },
    'by process.exit()': { ending: 'exit', code: 0, all: true },
    'by an uncaught error': { ending: 'error', code: 1, all: true },
    'by SIGKILL': { ending: 'kill', signal: 'SIGKILL' }
  }
  for (const [title, { ending, code = null, signal = null, all }] of Object.entries(endings)) {
    it(`${rounds} processes that end ${title} lose nothing`, async () => {
      await store.storage.close()
      const acknowledged = []
      for (let round = 0; round < rounds; round++) {
        const result = await runNode('writes.js', { args: [String(round), ending] }).ended
        assert.deepStrictEqual({ code: result.code, signal: result.signal }, { code, signal }, result.stderr)
        const numbers = result.stdout.split('\n').filter(Boolean)
        assert(numbers.length >= 20)
        acknowledged.push(numbers)
      }
      await store.open()
      for (const [round, numbers] of acknowledged.entries()) {
        const items = new Set(await store.storageList.listAll(`list/${round}`))
        for (const number of numbers) {
          assert.strictEqual(await store.storage.read(`${round}/${number}`), `contents ${number}`)
          assert(items.has(number))
        }
        if (all) {
          // Called before the end, and not awaited.
          assert.strictEqual(await store.storage.read(`${round}/39`), 'contents 39')
        }
      }
    }).timeout(120000)
  }
})
