// Copies the folder of a store that is open. fs.cpSync never ends if a file becomes shorter meanwhile, as sled's log does: the
// system then copies 0 bytes, again and again.
const fs = require('fs')
const path = require('path')

module.exports = { copyOpenStore }

function copyOpenStore (from, to) {
  fs.mkdirSync(to, { recursive: true, mode: fs.statSync(from).mode })
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [from, to].map((folder) => path.join(folder, entry.name))
    if (entry.isDirectory()) {
      copyOpenStore(source, target)
    } else {
      copyIfThere(source, target)
    }
  }
}

// The store may replace a snapshot of sled meanwhile.
function copyIfThere (source, target) {
  try {
    fs.writeFileSync(target, fs.readFileSync(source), { mode: fs.statSync(source).mode })
  } catch (error) {
    if (error.code !== 'ENOENT') {
      throw error
    }
  }
}
