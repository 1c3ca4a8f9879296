// An engine of Dashboard's with the tables of its PostgreSQL engine, which is not on npm: for the host to write with.
const { Pool } = require('pg')

const tables = `
  CREATE TABLE IF NOT EXISTS objects (
    path VARCHAR(255) PRIMARY KEY,
    contents BYTEA,
    created TIMESTAMP DEFAULT CURRENT_TIMESTAMP
  );
  CREATE TABLE IF NOT EXISTS lists (
    listid BIGSERIAL PRIMARY KEY,
    path VARCHAR(255),
    objectid VARCHAR(255),
    created TIMESTAMP DEFAULT CURRENT_TIMESTAMP
  );`
const upsert = 'INSERT INTO objects(path, contents) VALUES ($1, $2) ON CONFLICT (path) DO UPDATE SET contents = EXCLUDED.contents'
const insert = 'INSERT INTO lists(path, objectid) VALUES ($1, $2)'

module.exports = { Storage: { setup: setupStorage }, StorageList: { setup: setupStorageList } }

async function setupStorage () {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL })
  await pool.query(tables)
  const ask = async (sql, ...values) => (await pool.query(sql, values)).rows
  const readBinary = async (file) => {
    const [row] = await ask('SELECT contents FROM objects WHERE path = $1', file)
    return row && row.contents
  }
  const write = (file, contents) => ask(upsert, file, Buffer.from(contents))
  return {
    ask,
    exists: async (file) => Boolean(await readBinary(file)),
    read: async (file) => String(await readBinary(file)),
    readBinary,
    readMany: async (prefix, files) => {
      const rows = await ask('SELECT path, contents FROM objects WHERE path = ANY($1)', files.map((file) => `${prefix}/${file}`))
      return Object.fromEntries(rows.map(({ path, contents }) => [path.substring(prefix.length + 1), String(contents)]))
    },
    write,
    writeBinary: write,
    delete: (file) => ask('DELETE FROM objects WHERE path = $1', file)
  }
}

async function setupStorageList ({ ask }) {
  const list = async (path, offset, pageSize) => {
    const rows = await ask('SELECT objectid FROM lists WHERE path = $1 ORDER BY listid DESC OFFSET $2 LIMIT $3', path, offset, pageSize)
    return rows.map(({ objectid }) => objectid)
  }
  return {
    add: (path, item) => ask(insert, path, item),
    addMany: (items) => Promise.all(Object.entries(items).map(([path, item]) => ask(insert, path, item))),
    count: async (path) => Number((await ask('SELECT count(*) FROM lists WHERE path = $1', path))[0].count),
    exists: async (path, item) => (await ask('SELECT 1 FROM lists WHERE path = $1 AND objectid = $2', path, item)).length > 0,
    list,
    listAll: (path) => list(path, 0, null),
    remove: (path, item) => ask('DELETE FROM lists WHERE path = $1 AND objectid = $2', path, item)
  }
}
