// The main thread and a worker thread share a store. Each opens it by its folder, and reads what the other wrote.
//
//     node examples/worker-thread/main.js
//
// The store is in data/threads.sled, or in the folder that you name as an argument. A second process would get store-locked.
const path = require('path')
const { isMainThread, Worker, workerData } = require('worker_threads')
const { open } = require('dashboard-sled')

const each = 1000

async function main (folder = path.join('data', 'threads.sled')) {
  const store = await open({ path: folder })
  const worker = new Worker(__filename, { workerData: { folder } })
  const ended = new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', resolve)
  })
  await Promise.all([write(store, 'main'), ended])

  const last = await store.storage.read(`worker/${each - 1}`)
  console.log(`the main thread reads of the worker: ${last}`)
  console.log(`both have added ${await store.lists.count('written')} items to one list`)
  await store.close()
}

async function work () {
  const store = await open({ path: workerData.folder })
  await write(store, 'worker')
  await store.close()
}

// All at once, so that they share syncs with each other and with those of the other thread.
async function write ({ storage, lists }, name) {
  await Promise.all(Array.from({ length: each }, async (_, i) => {
    await storage.write(`${name}/${i}`, `number ${i} of the ${name} thread`)
    await lists.add('written', `${name}/${i}`)
  }))
}

const started = isMainThread ? main(process.argv[2]) : work()
started.catch((error) => {
  console.error(error.detail || error)
  process.exitCode = 1
})
