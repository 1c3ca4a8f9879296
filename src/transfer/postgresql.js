// The tables of storage-postgresql: objects(path, contents, created) and lists(listid, path, objectid, created), where
// a higher listid is newer.
const { asListParts, asRecords } = require('./rows.js')
const { bySize, connectMs, loadClient, parseUrl, sourceError } = require('./source.js')

const rowsAtOnce = 1000
const tables = ['SELECT path, contents FROM objects LIMIT 0', 'SELECT listid, path, objectid FROM lists LIMIT 0']
const snapshot = [
  'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SET LOCAL idle_in_transaction_session_timeout = 0',
  'SET LOCAL statement_timeout = 0'
]
const counts = 'SELECT (SELECT count(*) FROM objects) + (SELECT count(*) FROM lists)'
const sizes = 'SELECT path, octet_length(contents) FROM objects'
const objects = 'SELECT path, contents FROM objects WHERE path = ANY($1)'
const lists = 'SELECT path, objectid FROM lists ORDER BY path, listid'

module.exports = { open }

// A cursor needs a name.
let cursors = 0

async function open (source) {
  const { title } = parseUrl(source, ['postgresql:', 'postgres:'])
  const { Client } = loadClient('pg', [8, 0])
  let client
  try {
    client = new Client({ connectionString: source, connectionTimeoutMillis: connectMs, keepAlive: true })
  } catch (error) {
    throw sourceError('source-invalid', `the database or the options at the end of ${title} are wrong`)
  }
  // What is under way is rejected as well.
  client.on('error', () => {})
  const ask = async (sql, values) => {
    const { rows } = await client.query({ text: sql, values, rowMode: 'array' })
    return rows
  }
  const read = (sql, values) => ask(sql, values).catch((error) => {
    throw sourceError('source-interrupted', `${title} went away or failed: ${error.message}`)
  })
  try {
    await client.connect()
    // The moment that is read is that of the first look at a table.
    for (const sql of [...snapshot, ...tables]) {
      await ask(sql)
    }
  } catch (error) {
    client.end().catch(() => {})
    throw notOpened(title, error)
  }
  return {
    entries: async function * () {
      yield * asRecords(readObjects(read))
      yield * asListParts(readLists(read))
    },
    count: async () => Number((await read(counts))[0][0]),
    close: () => client.end()
  }
}

// Keys and sizes first, so that only so much contents is read as there is room for.
async function * readObjects (read) {
  for await (const rows of fetchAll(read, sizes)) {
    yield * rows.filter(([path, size]) => path === null || size === null).map(([path]) => [path, null])
    const sized = rows.filter(([path, size]) => path !== null && size !== null).map(([path, size]) => ({ path, size }))
    for (const group of bySize(sized)) {
      yield * await read(objects, [group.map(({ path }) => path)])
    }
  }
}

async function * readLists (read) {
  for await (const rows of fetchAll(read, lists)) {
    yield * rows
  }
}

// What a query answers, so many rows at a time.
async function * fetchAll (read, sql) {
  const cursor = `import_${++cursors}`
  await read(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`)
  for (;;) {
    const rows = await read(`FETCH ${rowsAtOnce} FROM ${cursor}`)
    yield rows
    if (rows.length < rowsAtOnce) {
      break
    }
  }
  await read(`CLOSE ${cursor}`)
}

function notOpened (title, error) {
  if (error.code === '42P01' || error.code === '42703') {
    return sourceError('source-not-dashboard', `${title} has not the tables of a dashboard: ${error.message}`)
  }
  return error.severity
    ? sourceError('source-refused', `${title} refused: ${error.message}`)
    : sourceError('source-unreachable', `${title} cannot be reached: ${error.message || error.code}`)
}
