// Records of this package as text.
const { decrypt, hostSecret } = require('../host.js')

module.exports = { readTexts }

// Returns the texts of records, undefined for those that do not exist.
async function readTexts (store, names) {
  if (!names.length) {
    return []
  }
  const secret = hostSecret()
  const contents = await store.readMany(names)
  return contents.map((text) => text === undefined ? undefined : decrypt(text, secret))
}
