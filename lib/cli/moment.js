// Times as people write them.
const { InvalidArgumentError } = require('commander')
const { readAge } = require('../age.js')
const { now } = require('../host.js')

// A date is its beginning in UTC. A time without a zone is refused: it could be meant in two ways.
const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/

module.exports = { moment, momentText }

// Parses the value of an option, and returns seconds.
function moment (text) {
  if (/^\d{9,12}$/.test(text)) {
    return Number(text)
  }
  if (/^[1-9]\d{0,8}[smhdw]$/.test(text)) {
    return now() - readAge(text)
  }
  const time = DATE.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError('Write a date such as 2026-11-22, a time such as 2026-11-22T18:00Z, an age such as 30d, or seconds since 1970.')
  }
  return Math.floor(time / 1000)
}

// 2026-11-22T18:00:00Z
function momentText (seconds) {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString().replace(/\.\d+Z$/, 'Z')
}
