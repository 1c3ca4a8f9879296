// Removing the records by which ends find their entries.
const { endNames } = require('./names.js')

module.exports = { endsThatFind }

// Returns the names of the records by which ends find these entries. One by which a later entry is found, because the session ended once
// more, is not among them.
async function endsThatFind (read, entries) {
  const pairs = entries.flatMap((entry) => endNames(entry).map((name) => [name, entry.number]))
  const texts = await read(pairs.map(([name]) => name))
  return pairs.filter(([, number], index) => Number(texts[index]) === number).map(([name]) => name)
}
