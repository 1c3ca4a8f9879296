// Dashboard's storage contract over lmdb.
const { open } = require('lmdb')

const flushes = process.env.BENCH_DURABLE === 'true'
const isLoading = process.env.BENCH_LOADING === 'true'

module.exports = {
  Storage: {
    setup: async () => {
      root = open({ path: process.env.BENCH_FOLDER, mapSize: 2 ** 36, maxDbs: 4, ...isLoading && { noSync: true } })
      records = root.openDB({ name: 'records', encoding: 'string' })
      binaries = root.openDB({ name: 'binaries', encoding: 'binary' })
      // [path, number] → item, [path] → the last number and the count; and the number of [path, item].
      items = root.openDB({ name: 'items' })
      positions = root.openDB({ name: 'positions' })
      return storage
    }
  },
  StorageList: { setup: async () => storageList }
}

let root, records, binaries, items, positions

const storage = {
  exists: async (file) => records.doesExist(file),
  read: async (file) => records.get(file),
  readMany: async (prefix, files) => {
    const found = await records.getMany(files.map((file) => `${prefix}/${file}`))
    return Object.fromEntries(files.map((file, i) => [file, found[i]]).filter(([, text]) => text !== undefined))
  },
  readBinary: async (file) => binaries.get(file),
  write: async (file, contents) => written(records.put(file, contents)),
  writeBinary: async (file, buffer) => written(binaries.put(file, buffer)),
  delete: async (file) => written(records.remove(file)),
  readAll: async () => { for (const { value } of records.getRange()) { value.charCodeAt(0) } },
  close: async () => root.close()
}

const storageList = {
  add: async (path, itemid) => storageList.addMany({ [path]: itemid }),
  addMany: async (added) => {
    const committed = root.transaction(() => {
      for (const path in added) {
        const head = items.get([path]) || { last: 0, count: 0 }
        const number = head.last + 1
        items.put([path], { last: number, count: head.count + 1 })
        items.put([path, number], String(added[path]))
        positions.put([path, String(added[path])], number)
      }
    })
    return written(committed)
  },
  count: async (path) => (items.get([path]) || { count: 0 }).count,
  exists: async (path, itemid) => positions.doesExist([path, String(itemid)]),
  list: async (path, offset, pageSize) => page(path, offset, pageSize),
  listAll: async (path) => page(path, 0),
  remove: async (path, itemid) => {
    const committed = root.transaction(() => {
      const number = positions.get([path, String(itemid)])
      if (number === undefined) {
        return
      }
      const head = items.get([path])
      items.put([path], { ...head, count: head.count - 1 })
      items.remove([path, number])
      positions.remove([path, String(itemid)])
    })
    return written(committed)
  }
}

function page (path, offset, limit) {
  const range = { start: [path, Number.MAX_SAFE_INTEGER], end: [path, 0], reverse: true, offset, limit }
  return items.getRange(range).map(({ value }) => value).asArray
}

// The promise of a change is kept when other readers see it; it is on the disk when `flushed` is kept.
async function written (committed) {
  await committed
  if (flushes) {
    await root.flushed
  }
}
