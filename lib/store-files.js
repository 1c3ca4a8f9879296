// The files in the folder of a store, as far as JavaScript looks for them. src/store/sled/folder makes them.
const fs = require('fs').promises
const path = require('path')

module.exports = { GUARD: 'guard', hasFiles, LOCK: 'lock', SLED: 'sled' }

// Returns whether a folder, named by a string or by bytes, contains all of these files.
async function hasFiles (folder, names) {
  const files = names.map((name) => Buffer.concat([Buffer.from(folder), Buffer.from(path.sep + name)]))
  return Promise.all(files.map((file) => fs.access(file))).then(() => true, () => false)
}
