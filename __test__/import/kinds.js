// The four kinds of source in one shape, for tests that hold for all of them.
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { makeFolder } = require('../helper.js')
const { useServer } = require('./servers.js')

// Tables as Dashboard's engines make them.
const tables = {
  mysql: `CREATE TABLE objects (path VARCHAR(255) PRIMARY KEY, contents LONGBLOB);
    CREATE TABLE lists (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, path VARCHAR(255), objectid VARCHAR(255), INDEX(path));`,
  postgresql: `CREATE TABLE objects (path VARCHAR(255) UNIQUE, contents BYTEA, created TIMESTAMP);
    CREATE TABLE lists (listid BIGSERIAL PRIMARY KEY, path VARCHAR(255), objectid VARCHAR(255), created TIMESTAMP);`
}

module.exports = { fingerprint, fillBig, tables, useSource }

const big = { count: 4000, bytes: 60000 }

// Where a kind keeps its data for the describe block that calls this: { url, readerUrl, … }, of a folder the folder.
function useSource (kind) {
  if (kind !== 'files') {
    return useServer(kind)
  }
  const source = {}
  before(() => {
    source.folder = makeFolder()
    source.url = source.readerUrl = path.join(source.folder, 'data')
    source.kill = async () => fs.rmSync(source.url, { recursive: true })
  })
  after(() => fs.rmSync(source.folder, { recursive: true }))
  return source
}

// All data, and its times of change where they are known.
const prints = {
  files: async ({ url }) => walk(url).map((file) => {
    const { mtimeMs, ctimeMs } = fs.lstatSync(file)
    return [file, mtimeMs, ctimeMs, fs.lstatSync(file).isFile() && hash(fs.readFileSync(file))]
  }),
  redis: async ({ query }) => {
    const keys = (await query('KEYS', '*')).sort()
    return Promise.all(keys.map(async (key) => [key, hash(await query('DUMP', key)), await query('TTL', key)]))
  },
  mysql: async ({ query }) => query('CHECKSUM TABLE dashboard.objects, dashboard.lists'),
  postgresql: async ({ query }) => query(`SELECT
    (SELECT md5(string_agg(objects::text, ',' ORDER BY path)) FROM objects) AS objects,
    (SELECT md5(string_agg(lists::text, ',' ORDER BY listid)) FROM lists) AS lists`)
}

// 240 MB of records, which a reader must not hold in memory.
const fills = {
  files: async ({ url }) => {
    fs.mkdirSync(path.join(url, 'big'))
    const contents = Buffer.alloc(big.bytes, 'x')
    for (let i = 1; i <= big.count; i++) {
      fs.writeFileSync(path.join(url, 'big', String(i)), contents)
    }
  },
  redis: ({ query }) => query('EVAL', `for i = 1, ${big.count} do redis.call('SET', 'big/' .. i, string.rep('x', ${big.bytes})) end`, '0'),
  mysql: ({ query }) => query(`INSERT INTO objects(path, contents) SELECT CONCAT('big/', seq), REPEAT('x', ${big.bytes}) FROM seq_1_to_${big.count}`),
  postgresql: ({ query }) => query(`INSERT INTO objects(path, contents) SELECT 'big/' || i, convert_to(repeat('x', ${big.bytes}), 'UTF8') FROM generate_series(1, ${big.count}) i`)
}

function fingerprint (kind, source) {
  return prints[kind](source)
}

async function fillBig (kind, source) {
  await fills[kind](source)
  return big
}

function hash (bytes) {
  return crypto.createHash('sha256').update(bytes).digest('hex')
}

function walk (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const found = path.join(folder, entry.name)
    return entry.isDirectory() ? [found, ...walk(found)] : [found]
  })
}
