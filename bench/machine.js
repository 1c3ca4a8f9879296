// The hardware and versions behind the figures; they do not identify a machine.
const { spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')

module.exports = { inspectMachine }

function inspectMachine (folder) {
  const cpus = os.cpus()
  return {
    processor: cpus[0].model.trim(),
    cores: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()}`,
    fileSystem: fileSystem(folder),
    node: process.versions.node
  }
}

function fileSystem (folder) {
  const { status, stdout } = spawnSync('findmnt', ['--noheadings', '--output', 'FSTYPE', '--target', folder], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : `unknown file system (${fs.statfsSync(folder).type.toString(16)})`
}
