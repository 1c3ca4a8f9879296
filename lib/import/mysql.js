// The tables of @userdashboard/storage-mysql, on MySQL or MariaDB: objects(path, contents) and
// lists(id, path, objectid), where a higher id is newer.
const { asListParts, asRecords, surveyRows } = require('./rows.js')
const { connectMs, loadClient, longestContents, longestName, parseUrl, sourceError, unreachable } = require('./source.js')

// Rows that wait in memory; the server keeps the others until they are asked for.
const rowsAhead = 16
// Options that the engine's client understands. Only the first two are used: the others say how values are given to JavaScript
// or how connections are kept. Above all the character set is ours, since two keys may become one in another.
const options = ['ssl', 'socketPath', 'charset', 'connectTimeout', 'connectionLimit', 'waitForConnections', 'queueLimit', 'multipleStatements', 'timezone', 'dateStrings', 'supportBigNumbers', 'bigNumberStrings', 'decimalNumbers', 'debug']
const tables = ['SELECT path, contents FROM objects LIMIT 0', 'SELECT id, path, objectid FROM lists LIMIT 0']
const snapshot = [
  'SET NAMES utf8mb4',
  // The server gives up on a reader that pauses for longer, in seconds.
  'SET SESSION net_write_timeout = 3600',
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY'
]
const counts = 'SELECT (SELECT COUNT(*) FROM objects) + (SELECT COUNT(*) FROM lists)'
const large = {
  objects: `SELECT path, LENGTH(contents) FROM objects WHERE LENGTH(contents) > ${longestContents} OR LENGTH(path) > ${longestName}`,
  lists: `SELECT path, LENGTH(objectid) FROM lists WHERE LENGTH(objectid) > ${longestName} OR LENGTH(path) > ${longestName}`
}
const objects = `SELECT path, IF(LENGTH(contents) > ${longestContents}, NULL, contents), LENGTH(contents) FROM objects`
// By bytes, since the column may take two paths for the same that differ in case.
const lists = 'SELECT path, objectid, id FROM lists ORDER BY CAST(path AS BINARY), id'

module.exports = { open }

async function open (source) {
  const { url, user, password, database, options: { ssl, socketPath }, title } = parseUrl(source, ['mysql:'], options)
  const mysql = loadClient('mysql2', [3, 11])
  let connection
  try {
    connection = mysql.createConnection({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || 3306,
      user,
      password,
      database,
      socketPath,
      ssl: ssl && asJson(ssl),
      charset: 'UTF8MB4_BIN',
      connectTimeout: connectMs,
      rowsAsArray: true,
      // Bytes, whatever the type of the column is: the client would make objects of JSON.
      typeCast: (field) => field.buffer()
    })
  } catch (error) {
    throw sourceError('source-invalid', `the database or the options at the end of ${title} are wrong`)
  }
  // What is under way is rejected as well; what is asked for later is never answered.
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
    // A part that nobody reads any more is not waited for.
    close: async () => connection.destroy()
  }
}

// As the client reads it: an object, or the name of a profile.
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
    : unreachable(title, error)
}

function interrupted (title, error) {
  return sourceError('source-interrupted', `${title} went away or failed: ${error.message}`)
}
