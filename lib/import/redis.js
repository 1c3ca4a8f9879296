// The keys of @userdashboard/storage-redis: a record is a string under its own key; a list is a Redis list under
// list/<path>, newest first, beside a hash under list/map/<path> of every item that was ever in it.
const { LONGEST_NAME } = require('../limits.js')
const { asRecord, asText, bySize, CONNECT_MS, ITEMS_IN_PART, loadClient, oversize, parseUrl, sourceError, unreachable } = require('./source.js')

const KEYS_IN_PAGE = 1000
// Approximate size of an item in memory.
const ITEM_BYTES = 256

// Time to live of a key that does not exist.
const GONE = -2

module.exports = { open }

async function open (source, { counted = () => {} } = {}) {
  const { url, host, user, password, options, title } = parseUrl(source, ['redis:', 'rediss:'], ['db', 'password'])
  const { createClient, RESP_TYPES } = loadClient('redis', [5, 0])
  const database = databaseOf(url, options, title)
  // Each version of the client reads a URL in its own way, therefore it does not get one. It does not reconnect, because that could
  // lead to another server with other data.
  const client = createClient({
    username: user || undefined,
    password: password || options.password || undefined,
    socket: { host, port: Number(url.port) || 6379, tls: url.protocol === 'rediss:', reconnectStrategy: false, connectTimeout: CONNECT_MS }
  })
  // A command that is running is rejected as well.
  client.on('error', () => {})
  const asBuffers = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  const ask = async (...command) => {
    try {
      return await client.sendCommand(command, asBuffers)
    } catch (error) {
      throw refused(title, error) || sourceError('source-interrupted', `${title} went away: ${error.message}`)
    }
  }
  try {
    await connect(client, title)
    await select(ask, database, title)
    await requireDashboard(ask, title)
  } catch (error) {
    destroy(client)
    throw error
  }
  return {
    entries: () => entries(ask, title),
    survey: () => survey(ask, counted),
    close: async () => destroy(client)
  }
}

// Returns the number of the database. The engine's own client reads it from either place, and refuses two that differ.
function databaseOf (url, { db }, title) {
  const named = [url.pathname.replace(/^\//, ''), db].filter((number) => number)
  if (named.some((number) => !/^\d+$/.test(number)) || new Set(named.map(Number)).size > 1) {
    throw sourceError('source-invalid', `${title} does not name one database by its number, like redis://localhost:6379/1`)
  }
  return Number(named[0] || 0)
}

// The database is selected here and not by the client, and then the server is asked which one it is.
async function select (ask, database, title) {
  if (database) {
    await ask('SELECT', String(database))
  }
  // A server before 6.2 does not know the command, and a user may not be allowed to use it. Then the acknowledged selection has to do.
  const info = await ask('CLIENT', 'INFO').catch((error) => {
    if (error.message !== 'source-refused') {
      throw error
    }
  })
  const [, selected] = /(?:^| )db=(\d+)/.exec(info || '') || []
  if (selected !== undefined && Number(selected) !== database) {
    throw sourceError('source-refused', `${title} reads database ${selected} instead of ${database}`)
  }
}

// The client's time limit ends when the connection is made; a server of another kind may not answer after that.
async function connect (client, title) {
  const limit = setTimeout(() => destroy(client), CONNECT_MS)
  try {
    await client.connect()
  } catch (error) {
    throw refused(title, error) || unreachable(title, error)
  } finally {
    clearTimeout(limit)
  }
}

function destroy (client) {
  if (client.isOpen) {
    client.destroy()
  }
}

// An error from the server itself begins with a word in capitals. The client of Dashboard's engine sends a password without a user.
function refused (title, error) {
  const advice = /^WRONGPASS/.test(error.message) ? '; if the dashboard works with this url, take the user off it, which its engine does not send' : ''
  return /^[A-Z]+ /.test(error.message) ? sourceError('source-refused', `${title} refused: ${error.message}${advice}`) : undefined
}

async function requireDashboard (ask, title) {
  for await (const keys of scan(ask, 'MATCH', 'list/*')) {
    if (keys.length) {
      return
    }
  }
  throw sourceError('source-not-dashboard', `${title} has no list/ keys, so it is not the data of a dashboard: look at the number of the database at the end of the url`)
}

async function * entries (ask, title) {
  for await (const page of described(ask)) {
    yield * page.filter(({ skipped, tooLarge }) => skipped !== undefined || tooLarge !== undefined)
    for (const group of bySize(page.filter(({ list, record }) => list || record))) {
      const values = await Promise.all(group.map(({ key, list }) => list ? oldest(ask, key, 0) : ask('GET', key)))
      for (const [i, one] of group.entries()) {
        if (one.list) {
          yield * listParts(ask, title, one, values[i])
        } else if (values[i] === null) {
          throw changed(title, one.record)
        } else {
          yield asRecord(one.record, values[i])
        }
      }
    }
  }
}

// Returns pages of entries: records and lists with their size in memory, and entries that are left out.
async function * described (ask) {
  for await (const keys of scan(ask)) {
    const facts = await Promise.all(keys.map((key) => factsOf(ask, key)))
    const found = keys.map((key, i) => ({ key, ...recognize(key, facts[i]) }))
    const lengths = await Promise.all(found.map(({ key, list, record }) => list ? ask('LLEN', key) : record && ask('STRLEN', key)))
    yield found.map((one, i) => measured(one, Number(lengths[i]))).filter((one) => one)
  }
}

// Returns the type of a key, and its time to live in milliseconds, which is below 0 if it never expires.
async function factsOf (ask, key) {
  try {
    const [type, lives] = await Promise.all([ask('TYPE', key), ask('PTTL', key)])
    return { type: String(type), lives: Number(lives) }
  } catch (error) {
    // The user may read only some keys. For a list that is an error, because its items would be missing.
    if (error.message === 'source-refused' && !String(key).startsWith('list/')) {
      return { isRefused: true }
    }
    throw error
  }
}

// Returns whether a key is a record, a list, an index that needs no entry, or skipped and why.
function recognize (key, { type, lives, isRefused }) {
  const text = asText(key)
  const skipped = text || String(key)
  if (isRefused) {
    return { skipped, reason: 'a key that the user may not read' }
  }
  // It may have expired between the two questions.
  if (type === 'none' || lives === GONE) {
    return { skipped, reason: 'a key that was gone before it was read' }
  }
  // It would never expire in the store, or it would expire while it is read.
  if (lives >= 0) {
    return { skipped, reason: 'a key that expires, unlike those of Dashboard' }
  }
  if (!text) {
    return { skipped, reason: 'a key that is not UTF-8' }
  }
  if (type === 'string') {
    return { record: text }
  }
  if (type === 'list' && text.startsWith('list/') && text !== 'list/') {
    return { list: text.substring('list/'.length) }
  }
  if (type === 'hash' && text.startsWith('list/map/')) {
    return {}
  }
  return { skipped, reason: `a Redis ${type}, which Dashboard does not keep under such a key` }
}

function measured ({ key, record, list, skipped, reason }, length) {
  if (record !== undefined) {
    return oversize(record, { contentsBytes: length }) || { key, record, size: length }
  }
  if (list !== undefined) {
    return oversize(list, {}) || { key, list, length, size: Math.min(length, ITEMS_IN_PART) * ITEM_BYTES }
  }
  return skipped === undefined ? undefined : { skipped, reason }
}

// Counted from the oldest item, because positions from that end do not change when newer items are added.
async function * listParts (ask, title, { key, list, length }, first) {
  let read = 0
  for (let part = first; ; part = await oldest(ask, key, read)) {
    const texts = part.map(asText)
    const large = part.map((item) => largeItem(list, item))
    yield * large.filter((one) => one)
    const items = texts.filter((text, i) => text && !large[i])
    yield * part.filter((_, i) => !texts[i] && !large[i]).map((item) => ({ skipped: `list/${list}/${item}`, reason: 'an item that is not UTF-8' }))
    if (items.length) {
      yield { list, items }
    }
    read += part.length
    if (read >= length) {
      return
    }
    if (part.length < ITEMS_IN_PART) {
      throw changed(title, `list/${list}`)
    }
  }
}

// Returns the next part of a list, oldest first, after the first `read` items.
async function oldest (ask, key, read) {
  const items = await ask('LRANGE', key, String(-read - ITEMS_IN_PART), String(-read - 1))
  return items.reverse()
}

function changed (title, key) {
  return sourceError('source-changed', `${key} was removed from ${title} while it was read: stop the dashboard, then import again`)
}

async function survey (ask, counted) {
  let total = 0
  const tooLarge = []
  for await (const page of described(ask)) {
    for (const { key, record, list, length, tooLarge: name, reason } of page) {
      if (name !== undefined) {
        tooLarge.push({ tooLarge: name, reason })
      } else if (list !== undefined) {
        total += length
        tooLarge.push(...await largeItems(ask, key, list, length))
      } else {
        total += record === undefined ? 0 : 1
      }
      counted(total)
    }
  }
  return { total, tooLarge }
}

async function largeItems (ask, key, list, length) {
  const found = []
  for (let read = 0; read < length; read += ITEMS_IN_PART) {
    found.push(...(await oldest(ask, key, read)).map((item) => largeItem(list, item)).filter((one) => one))
  }
  return found
}

function largeItem (list, item) {
  return item.length > LONGEST_NAME ? oversize(`list/${list}`, { nameBytes: item.length, what: 'an item of it' }) : undefined
}

// A key may come twice if the server resizes its table meanwhile.
async function * scan (ask, ...filter) {
  let cursor = '0'
  do {
    const [next, keys] = await ask('SCAN', cursor, 'COUNT', String(KEYS_IN_PAGE), ...filter)
    yield keys
    cursor = String(next)
  } while (cursor !== '0')
}
