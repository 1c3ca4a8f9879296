// Dashboard's storage contract over classic-level, every change synced when it is acknowledged.
const { ClassicLevel } = require('classic-level')

// While it is loaded nothing is synced, and records are written a thousand at a time.
const isLoading = process.env.BENCH_LOADING === 'true'
const loadedAtOnce = 1000
const synced = { sync: !isLoading }
let database, records, items, positions
let loading = []
// Items are numbered as they come; a later start goes on behind the last one.
let last

module.exports = {
  Storage: {
    setup: async () => {
      database = new ClassicLevel(process.env.BENCH_FOLDER)
      await database.open()
      records = database.sublevel('records')
      items = database.sublevel('items')
      positions = database.sublevel('positions')
      last = 0
      for await (const number of positions.values()) {
        last = Math.max(last, Number(number))
      }
      return storage
    }
  },
  StorageList: { setup: async () => storageList }
}

const storage = {
  exists: (file) => records.has(file),
  read: (file) => records.get(file),
  readMany: async (prefix, files) => {
    const found = await records.getMany(files.map((file) => `${prefix}/${file}`))
    return Object.fromEntries(files.map((file, i) => [file, found[i]]).filter(([, text]) => text !== undefined))
  },
  readBinary: (file) => records.get(file, { valueEncoding: 'buffer' }),
  write: (file, contents) => isLoading ? load(file, contents) : records.put(file, contents, synced),
  writeBinary: (file, buffer) => records.put(file, buffer, { ...synced, valueEncoding: 'buffer' }),
  delete: (file) => records.del(file, synced),
  readAll: async () => {
    const iterator = records.values()
    while ((await iterator.nextv(1000)).length);
    await iterator.close()
  },
  close: async () => {
    await flushLoading()
    await database.close()
  }
}

const storageList = {
  add: (path, itemid) => storageList.addMany({ [path]: itemid }),
  addMany: (added) => database.batch(Object.entries(added).flatMap(([path, itemid]) => {
    const number = String(++last).padStart(16, '0')
    return [
      { type: 'put', sublevel: items, key: `${path}\n${number}`, value: String(itemid) },
      { type: 'put', sublevel: positions, key: `${path}\n${itemid}`, value: number }
    ]
  }), synced),
  count: async (path) => (await items.keys(within(path)).all()).length,
  exists: (path, itemid) => positions.has(`${path}\n${itemid}`),
  list: (path, offset, pageSize) => page(path, offset, pageSize),
  listAll: (path) => page(path, 0, Infinity),
  remove: async (path, itemid) => {
    const number = await positions.get(`${path}\n${itemid}`)
    if (number !== undefined) {
      await database.batch([
        { type: 'del', sublevel: items, key: `${path}\n${number}` },
        { type: 'del', sublevel: positions, key: `${path}\n${itemid}` }
      ], synced)
    }
  }
}

async function load (file, contents) {
  loading.push({ type: 'put', key: file, value: contents })
  if (loading.length >= loadedAtOnce) {
    await flushLoading()
  }
}

function flushLoading () {
  const batch = loading
  loading = []
  return records.batch(batch)
}

async function page (path, offset, pageSize) {
  const found = await items.values({ ...within(path), reverse: true, limit: offset + pageSize }).all()
  return found.slice(offset)
}

function within (path) {
  return { gt: `${path}\n`, lt: `${path}\n:` }
}
