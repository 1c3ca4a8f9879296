// Dashboard's storage contract over better-sqlite3: every change is a transaction, synced when it is acknowledged.
const Database = require('better-sqlite3')
const path = require('path')

let database, run

module.exports = {
  Storage: {
    setup: async () => {
      database = new Database(path.join(process.env.BENCH_FOLDER, 'database'))
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      database.exec(`
        CREATE TABLE IF NOT EXISTS records (path TEXT PRIMARY KEY, contents) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT, item TEXT, UNIQUE (path, item));
        CREATE INDEX IF NOT EXISTS pages ON items (path, id);`)
      run = prepareAll({
        exists: 'SELECT 1 FROM records WHERE path = ?',
        read: 'SELECT contents FROM records WHERE path = ?',
        write: 'INSERT INTO records VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET contents = excluded.contents',
        delete: 'DELETE FROM records WHERE path = ?',
        add: 'INSERT OR IGNORE INTO items (path, item) VALUES (?, ?)',
        count: 'SELECT count(*) FROM items WHERE path = ?',
        has: 'SELECT 1 FROM items WHERE path = ? AND item = ?',
        page: 'SELECT item FROM items WHERE path = ? ORDER BY id DESC LIMIT ? OFFSET ?',
        remove: 'DELETE FROM items WHERE path = ? AND item = ?'
      })
      run.addMany = database.transaction((added) => {
        for (const path in added) {
          run.add.run(path, String(added[path]))
        }
      })
      return storage
    }
  },
  StorageList: { setup: async () => storageList }
}

const storage = {
  exists: async (file) => run.exists.get(file) === 1,
  read: async (file) => run.read.get(file),
  readMany: async (prefix, files) => {
    const found = files.map((file) => [file, run.read.get(`${prefix}/${file}`)])
    return Object.fromEntries(found.filter(([, text]) => text !== undefined))
  },
  readBinary: async (file) => run.read.get(file),
  write: async (file, contents) => { run.write.run(file, contents) },
  writeBinary: async (file, buffer) => { run.write.run(file, buffer) },
  delete: async (file) => { run.delete.run(file) },
  close: async () => database.close()
}

const storageList = {
  add: async (path, itemid) => { run.add.run(path, String(itemid)) },
  addMany: async (added) => { run.addMany(added) },
  count: async (path) => run.count.get(path),
  exists: async (path, itemid) => run.has.get(path, String(itemid)) === 1,
  list: async (path, offset, pageSize) => run.page.all(path, pageSize, offset),
  listAll: async (path) => run.page.all(path, -1, 0),
  remove: async (path, itemid) => { run.remove.run(path, String(itemid)) }
}

// Statements that read answer with the one column itself.
function prepareAll (texts) {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => {
    const statement = database.prepare(text)
    return [name, statement.reader ? statement.pluck() : statement]
  }))
}
