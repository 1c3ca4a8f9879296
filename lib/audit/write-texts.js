// Records of this package, written together.
const { leaveChanged } = require('../errors.js')
const { hostSecret } = require('../host.js')

module.exports = { replaced }

// Writes the texts of records, and removes those whose text is empty, if the record `guard` still has the text `expected`. Returns
// whether it had.
async function replaced (store, guard, expected, names, texts) {
  try {
    await store.replace(guard, expected, names, texts, hostSecret())
    return true
  } catch (error) {
    leaveChanged(error)
    return false
  }
}
