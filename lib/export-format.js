// The format of an export: everything in a store as lines of JSON. lib/import/jsonl.js reads it.
//
//   {"format":"dashboard-sled","version":1}
//   {"record":"<key>","text":"<contents>"}            or "base64", if the bytes are not UTF-8
//   {"list":"<path>","items":["<oldest>",…]}          the parts of a long list follow each other
//   {"end":{"records":2,"lists":1,"items":3},"sha256":"<of all lines before>"}
//
// Strings of JavaScript that are not Unicode (unpaired surrogates) survive, because JSON escapes them.
const crypto = require('crypto')
const { toJson } = require('./printable.js')

const HEAD = { format: 'dashboard-sled', version: 1 }

module.exports = { exportLines, HEAD }

// Returns the lines of an export, and adds every entry to `counts`.
async function * exportLines (entries, counts) {
  const hash = crypto.createHash('sha256')
  const line = (object) => {
    const text = `${toJson(object)}\n`
    hash.update(text)
    return text
  }
  yield line(HEAD)
  for await (const entry of entries) {
    counts.add(entry)
    yield line(entry.record === undefined ? { list: entry.list, items: entry.items } : recordOf(entry))
  }
  const { records, lists, items } = counts
  yield `${JSON.stringify({ end: { records, lists, items }, sha256: hash.digest('hex') })}\n`
}

function recordOf ({ record, contents }) {
  const text = contents.toString()
  const isText = Buffer.from(text).equals(contents)
  return { record, ...(isText ? { text } : { base64: contents.toString('base64') }) }
}
