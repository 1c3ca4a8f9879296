// A source and a store, compared both ways. Where the store has kept something of an account or a session, it is not to be as in
// the source.

// Number of differences that are described.
const DESCRIBED = 100
// Number of records that are read at once.
const AT_ONCE = 200

module.exports = { compare }

async function compare (entries, store) {
  const differences = { number: 0, described: [], kept: 0 }
  const differs = (what) => {
    differences.number++
    if (differences.described.length < DESCRIBED) {
      differences.described.push(what)
    }
  }
  const records = new Set()
  const lists = new Set()
  let waiting = []
  let list
  const finishRecords = async () => {
    const compared = waiting
    waiting = []
    const found = await Promise.all(compared.map(({ record }) => store.storage.readBinary(record)))
    for (const [i, { record, contents }] of compared.entries()) {
      if (!found[i]) {
        differs(`only in the source: the record ${record}`)
      } else if (!found[i].equals(contents) && !await isKept(store, record, contents)) {
        differs(`not as in the source: the record ${record}`)
      } else if (!found[i].equals(contents)) {
        differences.kept++
      }
    }
  }
  const finishList = async () => {
    const items = list && await store.lists.listAll(list.path)
    if (list && !items) {
      differs(`only in the source: the list ${list.path}`)
    } else if (list && !isSame([...list.items], items.reverse())) {
      differs(`not as in the source: the items of the list ${list.path}, or their order`)
    }
  }
  for await (const entry of entries) {
    if (entry.record !== undefined) {
      records.add(entry.record)
      waiting.push(entry)
      if (waiting.length === AT_ONCE) {
        await finishRecords()
      }
      continue
    }
    if (!list || list.path !== entry.list) {
      await finishList()
      // An item that a source has twice is one here, at its first place.
      list = { path: entry.list, items: new Set() }
      lists.add(entry.list)
    }
    entry.items.forEach((item) => list.items.add(String(item)))
  }
  await finishRecords()
  await finishList()
  let path
  for await (const { record, list } of store.entries()) {
    if (record !== undefined && !records.has(record)) {
      differs(`only in the store: the record ${record}`)
    }
    if (list !== undefined && list !== path && !lists.has(list)) {
      differs(`only in the store: the list ${list}`)
    }
    path = list
  }
  return differences
}

async function isKept (store, record, contents) {
  const { kept } = await store.load([{ record, contents }], { dryRun: true })
  return kept > 0
}

function isSame (expected, items) {
  return expected.length === items.length && expected.every((item, i) => item === items[i])
}
