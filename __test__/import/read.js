// Reads a source, and checks its errors.
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { inspect } = require('util')

module.exports = { collect, copySources, requireFailure }

// All entries; the parts of a list have to follow each other.
async function collect (source) {
  const records = {}
  const lists = {}
  const skipped = []
  let last
  for await (const entry of source.entries()) {
    if (entry.record !== undefined) {
      assert(Buffer.isBuffer(entry.contents), entry.record)
      assert(!(entry.record in records), `${entry.record} came twice`)
      records[entry.record] = entry.contents
      last = undefined
    } else if (entry.list !== undefined) {
      assert(entry.items.length && entry.items.length <= 1000, entry.list)
      assert(entry.list === last || !(entry.list in lists), `${entry.list} came in between`)
      lists[entry.list] = [...(lists[entry.list] || []), ...entry.items]
      last = entry.list
    } else {
      assert.deepStrictEqual(Object.keys(entry).sort(), ['reason', 'skipped'])
      skipped.push(entry)
    }
  }
  skipped.sort((one, other) => one.skipped < other.skipped ? -1 : 1)
  return { records, lists, skipped }
}

function requireFailure (error, slug, { password, title }) {
  assert.deepStrictEqual([error.message, error.code], [slug, 'ERR_SOURCE'], error.stack)
  assert(error.detail, slug)
  assert(!title || error.detail.includes(title), error.detail)
  const all = inspect(error, { depth: 9, showHidden: true })
  for (const secret of password ? [password, encodeURIComponent(password)] : []) {
    assert(!all.includes(secret), all)
  }
}

// Copies lib to a folder without packages; returns the folder of the sources there.
function copySources (folder) {
  const copy = path.join(folder, 'lib')
  fs.cpSync(path.join(__dirname, '..', '..', 'lib'), copy, { recursive: true })
  return path.join(copy, 'import')
}
