// The tables of @userdashboard/storage-mysql, on MySQL or MariaDB: objects(path, contents) and
// lists(id, path, objectid), where a higher id is newer.
const { LARGEST_CONTENTS, LONGEST_NAME } = require('../limits.js')
const { asListParts, asRecords, surveyRows } = require('./rows.js')
const { CONNECT_MS, loadClient, parseUrl, sourceError, unreachable } = require('./source.js')

// Number of rows that wait in memory; the server keeps the others until they are read.
const ROWS_AHEAD = 16
// Options that the engine's client understands. Only the first two are used: the others say how values become JavaScript's, or how
// connections are kept. The character set is always set here, because two keys may become the same in another one.
const options = ['ssl', 'socketPath', 'charset', 'connectTimeout', 'connectionLimit', 'waitForConnections', 'queueLimit', 'multipleStatements', 'timezone', 'dateStrings', 'supportBigNumbers', 'bigNumberStrings', 'decimalNumbers', 'debug']
const tables = ['SELECT path, contents FROM objects LIMIT 0', 'SELECT id, path, objectid FROM lists LIMIT 0']
const snapshot = [
  'SET NAMES utf8mb4',
  // In seconds. The server gives up on a reader that pauses for longer.
  'SET SESSION net_write_timeout = 3600',
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY'
]
const counts = 'SELECT (SELECT COUNT(*) FROM objects) + (SELECT COUNT(*) FROM lists)'
const large = {
  objects: `SELECT path, LENGTH(contents) FROM objects WHERE LENGTH(contents) > ${LARGEST_CONTENTS} OR LENGTH(path) > ${LONGEST_NAME}`,
  lists: `SELECT path, LENGTH(objectid) FROM lists WHERE LENGTH(objectid) > ${LONGEST_NAME} OR LENGTH(path) > ${LONGEST_NAME}`
}
const objects = `SELECT path, IF(LENGTH(contents) > ${LARGEST_CONTENTS}, NULL, contents), LENGTH(contents) FROM objects`
// Sorted by bytes, because the column may treat paths that differ in case as the same.
const lists = 'SELECT path, objectid, id FROM lists ORDER BY CAST(path AS BINARY), id'

module.exports = { open }

async function open (source) {
  const { url, host, user, password, database, options: { ssl, socketPath }, title } = parseUrl(source, ['mysql:'], options)
  const mysql = loadClient('mysql2', [3, 11])
  let connection
  try {
    connection = mysql.createConnection({
      host,
      port: Number(url.port) || 3306,
      user,
      password,
      database,
      socketPath,
      ssl: ssl && asJson(ssl),
      charset: 'UTF8MB4_BIN',
      connectTimeout: CONNECT_MS,
      rowsAsArray: true,
      // Bytes for every type of column, because the client would parse JSON.
      typeCast: (field) => field.buffer()
    })
  } catch (error) {
    throw sourceError('source-invalid', `the database or the options at the end of ${title} are wrong`)
  }
  // A query that is running is rejected as well; a later one would never be answered.
  const lost = {}
  connection.on('error', (error) => { lost.error = error })
  const ask = async (sql) => {
    const [rows] = await connection.promise().query(sql)
    return rows
  }
  const read = (sql) => ask(sql).catch((error) => { throw interrupted(title, error) })
  try {
    await new Promise((resolve, reject) => connection.connect((error) => error ? reject(error) : resolve()))
    for (const sql of [...tables, ...snapshot]) {
      await ask(sql)
    }
  } catch (error) {
    connection.destroy()
    throw notOpened(title, error)
  }
  return {
    entries: async function * () {
      yield * asRecords(stream(connection, lost, title, objects))
      yield * asListParts(stream(connection, lost, title, lists))
    },
    survey: async () => {
      const [[total]] = await read(counts)
      return { total: Number(total), tooLarge: surveyRows(await read(large.objects), await read(large.lists)) }
    },
    // Does not wait for the rest of a result.
    close: async () => connection.destroy()
  }
}

// The client reads this option as an object, or as the name of a profile.
function asJson (text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text
  }
}

async function * stream (connection, lost, title, sql) {
  if (lost.error) {
    throw interrupted(title, lost.error)
  }
  const rows = connection.query(sql).stream({ highWaterMark: ROWS_AHEAD })
  // The stream itself does not notice a lost connection.
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
    return sourceError('source-not-dashboard', `${title} does not have the tables of a dashboard: ${error.message}`)
  }
  return error.errno > 0 && error.sqlState
    ? sourceError('source-refused', `${title} refused: ${error.message}`)
    : unreachable(title, error)
}

function interrupted (title, error) {
  return sourceError('source-interrupted', `${title} went away or failed: ${error.message}`)
}
