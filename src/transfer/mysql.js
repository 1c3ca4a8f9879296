// The tables of @userdashboard/storage-mysql, on MySQL or MariaDB: objects(path, contents) and
// lists(id, path, objectid), where a higher id is newer.
const { asListParts, asRecords } = require('./rows.js')
const { connectMs, loadClient, parseUrl, sourceError } = require('./source.js')

// Rows that wait in memory; the server keeps the others until they are asked for.
const rowsAhead = 16
const tables = ['SELECT path, contents FROM objects LIMIT 0', 'SELECT id, path, objectid FROM lists LIMIT 0']
const snapshot = [
  // The server gives up on a reader that pauses for longer, in seconds.
  'SET SESSION net_write_timeout = 3600',
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY'
]
const counts = 'SELECT (SELECT COUNT(*) FROM objects) + (SELECT COUNT(*) FROM lists)'
const objects = 'SELECT path, contents FROM objects'
// By bytes, since the column may take two paths for the same that differ in case.
const lists = 'SELECT path, objectid FROM lists ORDER BY CAST(path AS BINARY), id'

module.exports = { open }

async function open (source) {
  const { title, user, password } = parseUrl(source, ['mysql:'])
  const mysql = loadClient('mysql2', [3, 11])
  let connection
  try {
    connection = mysql.createConnection({ uri: source, user, password, connectTimeout: connectMs, rowsAsArray: true })
  } catch (error) {
    throw sourceError('source-invalid', `the database or the options at the end of ${title} are wrong`)
  }
  // What is under way is rejected as well.
  connection.on('error', () => {})
  const ask = async (sql) => {
    const [rows] = await connection.promise().query(sql)
    return rows
  }
  try {
    await new Promise((resolve, reject) => connection.connect((error) => error ? reject(error) : resolve()))
    for (const sql of tables) {
      await ask(sql)
    }
    for (const sql of snapshot) {
      await ask(sql)
    }
  } catch (error) {
    connection.destroy()
    throw notOpened(title, error)
  }
  return {
    entries: async function * () {
      yield * asRecords(stream(connection, title, objects))
      yield * asListParts(stream(connection, title, lists))
    },
    count: async () => {
      const [[total]] = await ask(counts).catch((error) => { throw interrupted(title, error) })
      return Number(total)
    },
    // A part that nobody reads any more is not waited for.
    close: async () => connection.destroy()
  }
}

async function * stream (connection, title, sql) {
  const rows = connection.query(sql).stream({ highWaterMark: rowsAhead })
  // Of a lost connection the stream itself never hears.
  const stop = (error) => rows.destroy(error)
  connection.on('error', stop)
  try {
    yield * rows
  } catch (error) {
    throw interrupted(title, error)
  } finally {
    connection.off('error', stop)
  }
}

function notOpened (title, error) {
  if (['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR'].includes(error.code)) {
    return sourceError('source-not-dashboard', `${title} has not the tables of a dashboard: ${error.message}`)
  }
  return error.errno > 0 && error.sqlState
    ? sourceError('source-refused', `${title} refused: ${error.message}`)
    : sourceError('source-unreachable', `${title} cannot be reached: ${error.message || error.code}`)
}

function interrupted (title, error) {
  return sourceError('source-interrupted', `${title} went away or failed: ${error.message}`)
}
