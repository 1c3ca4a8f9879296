// The keys of @userdashboard/storage-redis: a record is a string under its own key; a list is a Redis list under
// list/<path>, newest first, beside a hash under list/map/<path> of what was ever in it.
const { asRecord, asText, bySize, connectMs, itemsInPart, loadClient, longestName, oversize, parseUrl, sourceError, unreachable } = require('./source.js')

const keysInPage = 1000
// What an item takes in memory, about.
const itemBytes = 256

module.exports = { open }

async function open (source, { counted = () => {} } = {}) {
  const { url, user, password, options, title } = parseUrl(source, ['redis:', 'rediss:'], ['db', 'password'])
  const { createClient, RESP_TYPES } = loadClient('redis', [5, 0])
  const database = databaseOf(url, options, title)
  // Each version of the client reads a URL in its own way, so it gets none. Reconnected, it could be another server with other
  // data.
  const client = createClient({
    username: user || undefined,
    password: password || options.password || undefined,
    socket: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 6379, tls: url.protocol === 'rediss:', reconnectStrategy: false, connectTimeout: connectMs }
  })
  // What is under way is rejected as well.
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

// The engine's own client takes it from either place, and refuses two that differ.
function databaseOf (url, { db }, title) {
  const named = [url.pathname.replace(/^\//, ''), db].filter((number) => number)
  if (named.some((number) => !/^\d+$/.test(number)) || new Set(named.map(Number)).size > 1) {
    throw sourceError('source-invalid', `${title} does not name one database by its number, like redis://localhost:6379/1`)
  }
  return Number(named[0] || 0)
}

// What is read is up to us, not to the client: the server is asked for the database, and then which one it is.
async function select (ask, database, title) {
  if (database) {
    await ask('SELECT', String(database))
  }
  // A server before 6.2 does not know the command, and a user may not be allowed to use it. The selection was acknowledged.
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

// The time limit of the client ends with the connection; a server of another kind may then say nothing.
async function connect (client, title) {
  const limit = setTimeout(() => destroy(client), connectMs)
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

// What the server itself answers begins with a word in capitals. The client of Dashboard's engine sends a password alone.
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
  throw sourceError('source-not-dashboard', `${title} has no list/ keys, so no dashboard kept its data there: look at the number of the database at the end of the url`)
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

// Page by page what there is: records and lists with what they take in memory, and what is left out.
async function * described (ask) {
  for await (const keys of scan(ask)) {
    const facts = await Promise.all(keys.map((key) => factsOf(ask, key)))
    const found = keys.map((key, i) => ({ key, ...recognize(key, facts[i]) }))
    const lengths = await Promise.all(found.map(({ key, list, record }) => list ? ask('LLEN', key) : record && ask('STRLEN', key)))
    yield found.map((one, i) => measured(one, Number(lengths[i]))).filter((one) => one)
  }
}

// The type of a key, and its time to live in milliseconds, below 0 if it never ends.
async function factsOf (ask, key) {
  try {
    const [type, lives] = await Promise.all([ask('TYPE', key), ask('PTTL', key)])
    return { type: String(type), lives: Number(lives) }
  } catch (error) {
    // A user who may read some keys alone. Of a list it is an error: what it had would be missing.
    if (error.message === 'source-refused' && !String(key).startsWith('list/')) {
      return { isRefused: true }
    }
    throw error
  }
}

// What a key is: a record, a list, nothing of its own, or what is skipped and why.
function recognize (key, { type, lives, isRefused }) {
  const text = asText(key)
  const skipped = text || String(key)
  if (isRefused) {
    return { skipped, reason: 'a key that the user may not read' }
  }
  if (type === 'none') {
    return { skipped, reason: 'a key that was gone before it was read' }
  }
  // It would come over to live for ever, or end while it is read.
  if (lives >= 0) {
    return { skipped, reason: 'a key that expires, as Dashboard lets none' }
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
    return oversize(list, {}) || { key, list, length, size: Math.min(length, itemsInPart) * itemBytes }
  }
  return skipped === undefined ? undefined : { skipped, reason }
}

// Counted from the oldest item, a place stays what it is while newer ones are added.
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
  for (let read = 0; read < length; read += itemsInPart) {
    found.push(...(await oldest(ask, key, read)).map((item) => largeItem(list, item)).filter((one) => one))
  }
  return found
}

function largeItem (list, item) {
  return item.length > longestName ? oversize(`list/${list}`, { nameBytes: item.length, what: 'an item of it' }) : undefined
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
