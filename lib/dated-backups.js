// The backups of a folder that have a date as their name.
const fs = require('fs').promises
const path = require('path')

const DATED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?$/

module.exports = { findBackups, isDated, numberOf }

// Their names, the oldest first. What has such a name and holds no whole store is something else.
async function findBackups (folder) {
  const names = await foldersIn(folder)
  const found = []
  for (const name of names.filter(isDated)) {
    if (await holdsStore(path.join(folder, name))) {
      found.push(name)
    }
  }
  return found.sort(byAge)
}

function isDated (name) {
  return DATED.test(name)
}

// The number behind a date, for several of one second; 1 without one.
function numberOf (name) {
  const [, number] = /Z-(\d+)/.exec(name) || []
  return Number(number || 1)
}

async function foldersIn (folder) {
  const entries = await fs.readdir(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

async function holdsStore (folder) {
  const names = await fs.readdir(folder)
  return names.includes('guard') && names.includes('sled')
}

function byAge (one, other) {
  const [date, otherDate] = [one, other].map((name) => name.split('Z')[0])
  return date === otherDate ? numberOf(one) - numberOf(other) : date < otherDate ? -1 : 1
}
