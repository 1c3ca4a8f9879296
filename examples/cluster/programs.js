// The programs of PostgreSQL's server, and the user as whom they run.
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')

// Debian's user for them.
const user = 'postgres'

module.exports = { findPrograms, readAccount, user }

// Returns the folder of the newest version that Debian has installed, or of the one in PATH; undefined if PostgreSQL is missing.
function findPrograms () {
  const debian = '/usr/lib/postgresql'
  const versions = fs.existsSync(debian) ? fs.readdirSync(debian).sort((a, b) => b - a).map((version) => path.join(debian, version, 'bin')) : []
  return [...versions, ...(process.env.PATH || '').split(path.delimiter)].find((folder) => fs.existsSync(path.join(folder, 'initdb')))
}

// Options of a child process. PostgreSQL refuses to run as root.
function readAccount () {
  if (process.getuid() !== 0) {
    return {}
  }
  const id = (option) => Number(execFileSync('id', [option, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
