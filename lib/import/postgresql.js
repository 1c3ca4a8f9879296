// The tables of storage-postgresql: objects(path, contents, created) and lists(listid, path, objectid, created), where
// a higher listid is newer.
const { LARGEST_CONTENTS, LONGEST_NAME } = require('../limits.js')
const { asListParts, asRecords, surveyRows, textOf } = require('./rows.js')
const { bySize, CONNECT_MS, loadClient, parseUrl, sourceError, unreachable } = require('./source.js')

const ROWS_AT_ONCE = 1000
// Options that the client understands. The last ones do not change the data that is read.
const options = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'ssl', 'sslnegotiation', 'uselibpqcompat', 'host', 'options', 'client_encoding', 'application_name', 'fallback_application_name', 'connect_timeout', 'statement_timeout']
const tables = { objects: ['path', 'contents'], lists: ['path', 'objectid', 'listid'] }
const snapshot = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SET LOCAL client_encoding = \'UTF8\'',
  'SET LOCAL idle_in_transaction_session_timeout = 0',
  'SET LOCAL statement_timeout = 0'
]
const counts = 'SELECT (SELECT count(*) FROM objects) + (SELECT count(*) FROM lists)'
// The server's number for the type of bytes.
const BYTEA = 17

module.exports = { open }

// A cursor needs a name.
let cursors = 0

async function open (source) {
  const { title } = parseUrl(source, ['postgresql:', 'postgres:'], options)
  const { Client } = loadClient('pg', [8, 0])
  let client
  try {
    client = new Client({ connectionString: source, connectionTimeoutMillis: CONNECT_MS, keepAlive: true })
  } catch (error) {
    throw sourceError('source-invalid', `the database or the options at the end of ${title} are wrong`)
  }
  // A query that is running is rejected as well.
  client.on('error', () => {})
  const ask = async (sql, values) => {
    const { rows } = await client.query({ text: sql, values, rowMode: 'array' })
    return rows
  }
  const read = (sql, values) => ask(sql, values).catch((error) => {
    throw sourceError('source-interrupted', `${title} went away or failed: ${error.message}`)
  })
  let queries
  try {
    await client.connect()
    // The snapshot is taken at the first query of a table.
    for (const sql of snapshot) {
      await ask(sql)
    }
    queries = await makeQueries(client)
  } catch (error) {
    client.end().catch(() => {})
    throw notOpened(title, error)
  }
  return {
    entries: async function * () {
      yield * asRecords(readObjects(read, queries))
      yield * asListParts(fetchAll(read, queries.lists))
    },
    survey: async () => {
      const [[total]] = await read(counts)
      return { total: Number(total), tooLarge: surveyRows(await read(queries.largeObjects), await read(queries.largeLists)) }
    },
    close: () => client.end()
  }
}

// Everything is read as bytes, because the client would decode text from a server in SQL_ASCII as UTF-8, and parse JSON.
async function makeQueries (client) {
  const [{ server_encoding: encoding }] = (await client.query('SHOW server_encoding')).rows
  const columns = {}
  for (const [table, names] of Object.entries(tables)) {
    const { fields } = await client.query(`SELECT ${names.join(', ')} FROM ${table} LIMIT 0`)
    const asBytes = ({ name, dataTypeID }) => dataTypeID === BYTEA ? name : `convert_to(${name}::text, '${encoding === 'SQL_ASCII' ? encoding : 'UTF8'}')`
    columns[table] = Object.fromEntries(fields.map((field) => [field.name, asBytes(field)]))
  }
  const { path, contents } = columns.objects
  const { path: list, objectid: item } = columns.lists
  const isLong = (bytes) => `octet_length(${bytes}) > ${LONGEST_NAME}`
  return {
    sizes: `SELECT ${path}, octet_length(${contents}) FROM objects`,
    objects: `SELECT ${path}, ${contents}, octet_length(${contents}) FROM objects WHERE path = ANY($1)`,
    lists: `SELECT ${list}, ${item}, listid FROM lists ORDER BY path, listid`,
    largeObjects: `SELECT ${path}, octet_length(${contents}) FROM objects WHERE octet_length(${contents}) > ${LARGEST_CONTENTS} OR ${isLong(path)}`,
    largeLists: `SELECT ${list}, octet_length(${item}) FROM lists WHERE ${isLong(item)} OR ${isLong(list)}`
  }
}

// Reads keys and sizes first, so that the contents read together fit into memory, and none of them is too large.
async function * readObjects (read, { sizes, objects }) {
  for await (const rows of pages(read, sizes)) {
    const isRead = ([path, size]) => path && path.length && size !== null && size <= LARGEST_CONTENTS
    yield * rows.filter((row) => !isRead(row)).map(([path, size]) => [path, null, size])
    const sized = rows.filter(isRead).map(([path, size]) => ({ path: textOf(path, 'objects', 'path', path), size }))
    for (const group of bySize(sized)) {
      yield * await read(objects, [group.map(({ path }) => path)])
    }
  }
}

async function * fetchAll (read, sql) {
  for await (const rows of pages(read, sql)) {
    yield * rows
  }
}

// Returns the rows of a query, a page at a time.
async function * pages (read, sql) {
  const cursor = `import_${++cursors}`
  await read(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`)
  for (;;) {
    const rows = await read(`FETCH ${ROWS_AT_ONCE} FROM ${cursor}`)
    yield rows
    if (rows.length < ROWS_AT_ONCE) {
      break
    }
  }
  await read(`CLOSE ${cursor}`)
}

function notOpened (title, error) {
  if (error.code === '42P01' || error.code === '42703') {
    return sourceError('source-not-dashboard', `${title} does not have the tables of a dashboard: ${error.message}`)
  }
  return error.severity
    ? sourceError('source-refused', `${title} refused: ${error.message}`)
    : unreachable(title, error)
}
