/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const { Worker } = require('worker_threads')
const path = require('path')
const { runNode, useStore } = require('./helper.js')

describe('lock', () => {
  const store = useStore()

  it('store-locked for a second process, until the first one closes', async () => {
    const refused = runNode('hold.js')
    const [error] = await once(refused.child, 'message')
    assertLocked(error, process.pid)
    refused.child.send('go')
    await refused.ended
    await store.storage.close()
    const second = runNode('hold.js')
    const [answer] = await once(second.child, 'message')
    assert.deepStrictEqual(answer, { opened: true })
    second.child.send('go')
    await second.ended
    await store.open()
  })

  it('store-locked for a forked worker of a cluster', async () => {
    await store.storage.close()
    const { child, ended } = runNode('cluster.js')
    const [error] = await once(child, 'message')
    assertLocked(error, child.pid)
    await ended
    await store.open()
  })

  it('opens at once after the holder was killed', async () => {
    await store.storage.close()
    const { child, ended } = runNode('hold.js')
    await once(child, 'message')
    child.kill('SIGKILL')
    await ended
    await store.open()
  })

  it('is shared by the threads of one process, through every opening and closing', async () => {
    await store.storage.close()
    const threads = ['a', 'b', 'c', 'd'].map((name) => startThread(name, 30))
    for (let i = 0; i < 30; i++) {
      await store.open()
      await store.storage.write('main', String(i))
      await store.storage.close()
    }
    await Promise.all(threads)
    await store.open()
    assert.strictEqual(await store.storageList.count('list'), 4 * 30)
  }).timeout(60000)

  it('two worker threads and the main thread lose nothing', async () => {
    const count = 300
    const threads = [startThread('first', count), startThread('second', count)]
    for (let i = 0; i < count; i++) {
      await Promise.all([store.storage.write(`main/${i}`, `main ${i}`), store.storageList.add('list', `main ${i}`)])
    }
    await Promise.all(threads)
    await store.reopen()
    const items = new Set(await store.storageList.listAll('list'))
    assert.strictEqual(items.size, 3 * count)
    for (const name of ['first', 'second', 'main']) {
      for (let i = 0; i < count; i++) {
        assert.strictEqual(await store.storage.read(`${name}/${i}`), `${name} ${i}`)
        assert(items.has(`${name} ${i}`))
      }
    }
  }).timeout(60000)

  it('a thread that is ended in the middle takes nothing with it', async () => {
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(path.join(__dirname, 'fixtures', 'thread.js'), { workerData: { name: `ended${round}`, count: 1e6 } })
      while (!await store.storageList.count('list')) {
        await store.storage.write('main', 'contents')
      }
      await worker.terminate()
      await store.storage.flush()
    }
    await store.storage.write('main', 'after')
    assert.strictEqual(await store.storage.read('main'), 'after')
  }).timeout(60000)

  function startThread (name, count) {
    return new Promise((resolve, reject) => {
      const worker = new Worker(path.join(__dirname, 'fixtures', 'thread.js'), { workerData: { name, count } })
      worker.on('error', reject)
      worker.on('exit', resolve)
    })
  }

  function assertLocked (error, holder) {
    assert.strictEqual(error.message, 'store-locked')
    assert.strictEqual(error.code, 'ERR_STORE_LOCKED')
    assert(error.detail.includes(`(process ${holder})`), error.detail)
    assert(error.detail.includes('stop that process, or use another folder'))
  }
})
