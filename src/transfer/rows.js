// Rows of the tables that the SQL engines have, as entries.
const { asRecord, itemsInPart } = require('./source.js')

module.exports = { asListParts, asRecords }

// From rows of path and contents.
async function * asRecords (rows) {
  for await (const [path, contents] of rows) {
    if (!path) {
      yield { skipped: 'objects', reason: 'a row without a path' }
    } else if (contents === null) {
      yield { skipped: path, reason: 'a row without contents' }
    } else {
      yield asRecord(path, contents)
    }
  }
}

// From rows of path and item, sorted by path and then from the oldest on.
async function * asListParts (rows) {
  let list
  let items = []
  for await (const [path, item] of rows) {
    if (!path || !item) {
      yield { skipped: `lists ${path || ''}`.trim(), reason: 'a row without a path or an item' }
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
