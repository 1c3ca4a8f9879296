// A change of records of this package that is computed from others of them.
const { failure, leaveChanged } = require('../errors.js')
const { hostSecret } = require('../host.js')
const { readTexts } = require('./read-texts.js')

// Another process may be faster each time, but not for ever.
const MOST_ATTEMPTS = 50

module.exports = { changeRecords }

// Writes the records of the map that `compute` returns, and removes those whose text is empty; returns its result. `compute` reads by the
// function that it gets. All that it has read is as it was when the change is made, or it is called again. Nothing happens if it
// returns undefined.
async function changeRecords (store, compute) {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const read = new Map()
    const computed = await compute(async (names) => {
      const texts = await readTexts(store, names)
      names.forEach((name, index) => read.set(name, texts[index]))
      return texts
    })
    if (!computed) {
      return
    }
    const { records, result } = computed
    try {
      await store.replace([...read.keys()], [...read.values()], [...records.keys()], [...records.values()], hostSecret())
      return result
    } catch (error) {
      leaveChanged(error)
    }
  }
  throw failure('store-busy', 'ERR_STORE_BUSY', 'others change the audit all the time; try again')
}
