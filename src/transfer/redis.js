// The keys of @userdashboard/storage-redis: a record is a string under its own key; a list is a Redis list under
// list/<path>, newest first, beside a hash under list/map/<path> of what was ever in it.
const { asRecord, asText, bySize, connectMs, itemsInPart, loadClient, parseUrl, sourceError } = require('./source.js')

const keysInPage = 1000
// What an item takes in memory, about.
const itemBytes = 256

module.exports = { open }

async function open (source) {
  const { url, title } = parseUrl(source, ['redis:', 'rediss:'])
  const { createClient, RESP_TYPES } = loadClient('redis', [5, 0])
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw sourceError('source-invalid', `${title} does not end in the number of a database, like redis://localhost:6379/1`)
  }
  // Reconnected, it could be another server with other data.
  const socket = { reconnectStrategy: false, connectTimeout: connectMs }
  const client = createClient({ url: source, socket })
  // What is under way is rejected as well.
  client.on('error', () => {})
  const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
  const ask = async (...command) => {
    try {
      return await client.sendCommand(command, options)
    } catch (error) {
      throw refused(title, error) || sourceError('source-interrupted', `${title} went away: ${error.message}`)
    }
  }
  try {
    await connect(client, title)
    await requireDashboard(ask, title)
  } catch (error) {
    destroy(client)
    throw error
  }
  return {
    entries: () => entries(ask, title),
    count: () => count(ask),
    close: async () => destroy(client)
  }
}

// The time limit of the client ends with the connection; a server of another kind may then say nothing.
async function connect (client, title) {
  const limit = setTimeout(() => destroy(client), connectMs)
  try {
    await client.connect()
  } catch (error) {
    throw refused(title, error) || sourceError('source-unreachable', `${title} cannot be reached: ${error.message || error.code}`)
  } finally {
    clearTimeout(limit)
  }
}

function destroy (client) {
  if (client.isOpen) {
    client.destroy()
  }
}

// What the server itself answers begins with a word in capitals.
function refused (title, error) {
  return /^[A-Z]+ /.test(error.message) ? sourceError('source-refused', `${title} refused: ${error.message}`) : undefined
}

async function requireDashboard (ask, title) {
  for await (const keys of scan(ask, 'MATCH', 'list/*')) {
    if (keys.length) {
      return
    }
  }
  throw sourceError('source-not-dashboard', `${title} has no list/ keys, so no dashboard kept its data there: look at the number of the database at the end of the url`)
}

async function * entries (ask, title) {
  for await (const keys of scan(ask)) {
    const types = await Promise.all(keys.map((key) => ask('TYPE', key)))
    const found = keys.map((key, i) => ({ key, ...recognize(key, types[i]) }))
    yield * found.filter(({ skipped }) => skipped !== undefined).map(({ skipped, reason }) => ({ skipped, reason }))
    const kept = found.filter(({ list, record }) => list || record)
    const lengths = await Promise.all(kept.map(({ key, list }) => ask(list ? 'LLEN' : 'STRLEN', key)))
    for (const group of bySize(kept.map((one, i) => withSize(one, lengths[i])))) {
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

// What a key is: a record, a list, nothing of its own, or what is skipped and why.
function recognize (key, type) {
  const text = asText(key)
  if (!text) {
    return { skipped: String(key), reason: 'a key that is not UTF-8' }
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
  return { skipped: text, reason: `a Redis ${type}, which Dashboard does not keep under such a key` }
}

function withSize (one, length) {
  return { ...one, length, size: one.list ? Math.min(length, itemsInPart) * itemBytes : length }
}

// Counted from the oldest item, a place stays what it is while newer ones are added.
async function * listParts (ask, title, { key, list, length }, first) {
  let read = 0
  for (let part = first; ; part = await oldest(ask, key, read)) {
    const texts = part.map(asText)
    const items = texts.filter((text) => text)
    yield * part.filter((_, i) => !texts[i]).map((item) => ({ skipped: `list/${list}/${item}`, reason: 'an item that is not UTF-8' }))
    if (items.length) {
      yield { list, items }
    }
    read += part.length
    if (read >= length) {
      return
    }
    if (part.length < itemsInPart) {
      throw changed(title, `list/${list}`)
    }
  }
}

// A part of a list, from its oldest item that was not read yet on.
async function oldest (ask, key, read) {
  const items = await ask('LRANGE', key, String(-read - itemsInPart), String(-read - 1))
  return items.reverse()
}

function changed (title, key) {
  return sourceError('source-changed', `${key} was removed from ${title} while it was read: stop the dashboard, then import again`)
}

// About, since every list may have its map.
async function count (ask) {
  let total = await ask('DBSIZE')
  for await (const keys of scan(ask, 'MATCH', 'list/*')) {
    const lists = keys.filter((key) => !String(key).startsWith('list/map/'))
    // Another type of key is skipped later on.
    const lengths = await Promise.all(lists.map((key) => ask('LLEN', key).catch(() => 0)))
    total += lengths.reduce((sum, length) => sum + length, 0) - keys.length
  }
  return total
}

// A key may come twice where the server resizes its table meanwhile.
async function * scan (ask, ...filter) {
  let cursor = '0'
  do {
    const [next, keys] = await ask('SCAN', cursor, 'COUNT', String(keysInPage), ...filter)
    yield keys
    cursor = String(next)
  } while (cursor !== '0')
}
