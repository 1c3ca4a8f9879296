const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

module.exports = { diskBytes, dropPages, filesIn, readPages }

// Every file in a folder and those below it.
function filesIn (folder) {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

// Whether the system has let go of what it kept of the files; GNU's dd can ask it to.
function dropPages (folder) {
  return filesIn(folder).every((file) =>
    spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0']).status === 0)
}

// Afterwards the system keeps all of the files in its page cache, if it has room for them.
function readPages (folder) {
  const buffer = Buffer.alloc(1 << 20)
  for (const file of filesIn(folder)) {
    const descriptor = fs.openSync(file)
    while (fs.readSync(descriptor, buffer) > 0);
    fs.closeSync(descriptor)
  }
}

// Number of bytes that the files take on the disk, which is less than their length where they have holes.
function diskBytes (folder) {
  return filesIn(folder).reduce((sum, file) => sum + fs.statSync(file).blocks * 512, 0)
}
