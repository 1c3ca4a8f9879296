// Dashboard's storage contract over a binding of SQLite: every change is a transaction, synced when it is acknowledged.
// While it is loaded nothing is synced, and many changes share a transaction.
const path = require('path')

const isLoading = process.env.BENCH_LOADING === 'true'
const changesOfTransaction = 100000
const megabytesForLoading = 1024
let database, run
let changes = 0

module.exports = { makeEngine }

// `open` returns a database of a file; `prepare` returns a statement of it, `get` and `all` of which give the one column itself.
function makeEngine (open, prepare) {
  const setup = async () => {
    database = open(path.join(process.env.BENCH_FOLDER, 'database'))
    database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${isLoading ? 'OFF' : 'FULL'};
        CREATE TABLE IF NOT EXISTS records (path TEXT PRIMARY KEY, contents) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT, item TEXT, UNIQUE (path, item));
        CREATE INDEX IF NOT EXISTS pages ON items (path, id);`)
    const texts = {
      exists: 'SELECT 1 FROM records WHERE path = ?',
      read: 'SELECT contents FROM records WHERE path = ?',
      write: 'INSERT INTO records VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET contents = excluded.contents',
      delete: 'DELETE FROM records WHERE path = ?',
      add: 'INSERT OR IGNORE INTO items (path, item) VALUES (?, ?)',
      count: 'SELECT count(*) FROM items WHERE path = ?',
      has: 'SELECT 1 FROM items WHERE path = ? AND item = ?',
      page: 'SELECT item FROM items WHERE path = ? ORDER BY id DESC LIMIT ? OFFSET ?',
      remove: 'DELETE FROM items WHERE path = ? AND item = ?',
      readAll: 'SELECT sum(length(contents)) FROM records'
    }
    run = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, prepare(database, text)]))
    if (isLoading) {
      database.exec(`PRAGMA cache_size = -${megabytesForLoading * 1024}; BEGIN`)
    }
    return storage
  }
  return { Storage: { setup }, StorageList: { setup: async () => storageList } }
}

const storage = {
  exists: async (file) => run.exists.get(file) === 1,
  read: async (file) => run.read.get(file),
  readMany: async (prefix, files) => {
    const found = files.map((file) => [file, run.read.get(`${prefix}/${file}`)])
    return Object.fromEntries(found.filter(([, text]) => text !== undefined))
  },
  readBinary: async (file) => run.read.get(file),
  write: async (file, contents) => { change(() => run.write.run(file, contents)) },
  writeBinary: async (file, buffer) => { run.write.run(file, buffer) },
  delete: async (file) => { run.delete.run(file) },
  readAll: async () => { run.readAll.get() },
  close: async () => {
    if (isLoading) {
      database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
    }
    database.close()
  }
}

const storageList = {
  add: async (path, itemid) => { change(() => run.add.run(path, String(itemid))) },
  addMany: async (added) => inTransaction(() => Object.entries(added).forEach(([path, item]) => run.add.run(path, String(item)))),
  count: async (path) => run.count.get(path),
  exists: async (path, itemid) => run.has.get(path, String(itemid)) === 1,
  list: async (path, offset, pageSize) => run.page.all(path, pageSize, offset),
  listAll: async (path) => run.page.all(path, -1, 0),
  remove: async (path, itemid) => { run.remove.run(path, String(itemid)) }
}

// While it is loaded there is a transaction at all times.
function change (make) {
  make()
  if (isLoading && ++changes % changesOfTransaction === 0) {
    database.exec('COMMIT; BEGIN')
  }
}

function inTransaction (make) {
  if (isLoading) {
    return change(make)
  }
  database.exec('BEGIN')
  try {
    make()
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
