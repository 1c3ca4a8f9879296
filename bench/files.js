const fs = require('fs')
const path = require('path')

module.exports = { filesIn }

// Every file in a folder and those below it.
function filesIn (folder) {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}
