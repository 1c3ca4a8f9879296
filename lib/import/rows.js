// Rows of the tables that the SQL engines have, as entries. Every value is a Buffer, or null.
const { asRecord, asText, itemsInPart, longestContents, oversize, sourceError } = require('./source.js')

module.exports = { asListParts, asRecords, surveyRows, textOf }

// From rows of path, contents, and the bytes of the contents: those over the limit come without them.
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

// From rows of path, item and number, sorted by path and then from the oldest on.
async function * asListParts (rows) {
  let list
  let items = []
  for await (const [pathBytes, itemBytes, number] of rows) {
    const path = textOf(pathBytes, 'lists', 'path', number)
    const item = textOf(itemBytes, 'lists', 'objectid', number)
    const large = path && item && (oversize(path, {}) || oversize(`list/${path}`, { nameBytes: itemBytes.length, what: 'an item of it' }))
    if (!path || !item || large) {
      yield large || { skipped: `lists ${path || ''}`.trim(), reason: 'a row without a path or an item' }
      continue
    }
    if (items.length && (path !== list || items.length === itemsInPart)) {
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

// What is too large, from rows of path and bytes of contents, and from rows of path and bytes of the item.
function surveyRows (objects, lists) {
  return [
    ...objects.map(([path, bytes]) => oversizeOf(path, Number(bytes))),
    ...lists.map(([path, bytes]) => oversize(String(path), {}) || oversize(`list/${path}`, { nameBytes: Number(bytes), what: 'an item of it' }))
  ].filter((one) => one)
}

function oversizeOf (path, bytes) {
  return oversize(String(path), { nameBytes: path.length, contentsBytes: Math.min(bytes, Number.MAX_SAFE_INTEGER) > longestContents ? bytes : 0 })
}

// Keys and items are text: other bytes would come over as another key. `row` names the row in the error.
function textOf (bytes, table, column, row) {
  const text = bytes && bytes.length ? asText(bytes) : ''
  if (text === undefined) {
    const shown = `${row}`.substring(0, 100)
    throw sourceError('source-unreadable', `the table ${table}, the row ${shown}, the column ${column}: it is not UTF-8 (its bytes are ${bytes.subarray(0, 40).toString('hex')} in hexadecimal), and a key or an item has to be; change or remove the row`)
  }
  return text
}
