// Turns rows of the tables of the SQL engines into entries. Every value is a Buffer, or null.
const { LARGEST_CONTENTS, shorten } = require('../limits.js')
const { asRecord, asText, ITEMS_IN_PART, oversize, sourceError } = require('./source.js')

module.exports = { asListParts, asRecords, surveyRows, textOf }

// Each row has the path, the contents, and the size of the contents; contents over the limit are left out of the row.
async function * asRecords (rows) {
  for await (const [path, contents, bytes] of rows) {
    const large = path && path.length && oversizeOf(path, Number(bytes))
    if (!path || !path.length) {
      yield { skipped: 'objects', reason: 'a row without a path' }
    } else if (large) {
      yield large
    } else if (contents === null) {
      yield { skipped: textOf(path, 'objects', 'path', path), reason: 'a row without contents' }
    } else {
      yield asRecord(textOf(path, 'objects', 'path', path), contents)
    }
  }
}

// Each row has the path, the item and a number. The rows are sorted by path, and then oldest first.
async function * asListParts (rows) {
  let list
  let items = []
  for await (const [pathBytes, ITEM_BYTES, number] of rows) {
    const path = textOf(pathBytes, 'lists', 'path', number)
    const item = textOf(ITEM_BYTES, 'lists', 'objectid', number)
    const large = path && item && (oversize(path, {}) || oversize(`list/${path}`, { nameBytes: ITEM_BYTES.length, what: 'an item of it' }))
    if (!path || !item || large) {
      yield large || { skipped: `lists ${path || ''}`.trim(), reason: 'a row without a path or an item' }
      continue
    }
    if (items.length && (path !== list || items.length === ITEMS_IN_PART)) {
      yield { list, items }
      items = []
    }
    list = path
    items.push(item)
  }
  if (items.length) {
    yield { list, items }
  }
}

// Returns the entries that are too large. A row has the path and the size of the contents, or the path and the size of the item.
function surveyRows (objects, lists) {
  return [
    ...objects.map(([path, bytes]) => oversizeOf(path, Number(bytes))),
    ...lists.map(([path, bytes]) => oversize(String(path), {}) || oversize(`list/${path}`, { nameBytes: Number(bytes), what: 'an item of it' }))
  ].filter((one) => one)
}

function oversizeOf (path, bytes) {
  return oversize(String(path), { nameBytes: path.length, contentsBytes: Math.min(bytes, Number.MAX_SAFE_INTEGER) > LARGEST_CONTENTS ? bytes : 0 })
}

// Keys and items are text: other bytes would become another key. `row` names the row in the error.
function textOf (bytes, table, column, row) {
  const text = bytes && bytes.length ? asText(bytes) : ''
  if (text === undefined) {
    throw sourceError('source-unreadable', `the table ${table}, the row ${shorten(String(row))}, the column ${column}: it is not UTF-8 (its bytes are ${bytes.subarray(0, 40).toString('hex')} in hexadecimal), and a key or an item has to be; change or remove the row`)
  }
  return text
}
