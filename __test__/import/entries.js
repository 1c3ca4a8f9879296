// Entries of every kind, for tests that bring them from one store to another.
const entries = [
  { record: 'text', contents: Buffer.from('contents') },
  { record: 'empty', contents: Buffer.alloc(0) },
  { record: 'bytes', contents: Buffer.from([0, 255, 10, 13]) },
  { record: 'lines', contents: Buffer.from('\ufeffa\nb\r\u2028\u2029') },
  { record: 'large', contents: Buffer.alloc(100000, 'ä') },
  { record: '\ud800', contents: Buffer.from('unpaired') },
  { record: '\ufffd', contents: Buffer.from('replacement') },
  { record: '__proto__', contents: Buffer.from('{}') },
  { record: 'k'.repeat(3000), contents: Buffer.from('long key') },
  { list: 'list', items: Array.from({ length: 5000 }, (_, i) => String(i)) },
  { list: 'l'.repeat(5000), items: ['\udfff', 'i'.repeat(500), 'true', '3'] }
]

module.exports = { byName, entries }

// The last contents of each record, and the items of each list in the order in which they were added.
function byName (entries) {
  const found = new Map()
  for (const { record, contents, list, items } of entries) {
    if (record !== undefined) {
      found.set(`record ${record}`, Buffer.from(contents).toString('hex'))
    } else {
      found.set(`list ${list}`, [...new Set([...(found.get(`list ${list}`) || []), ...items])])
    }
  }
  return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1))
}
