// The arguments of a request: from its body and its query, as text over HTTP or as values from a call. Nothing matches everything by
// accident: a name that is given and empty is refused.
const { invalid } = require('../errors.js')
const { isUnambiguous } = require('../host-keys.js')
const { now } = require('../host.js')

const MOST_IDS = 1000
const LONGEST_TEXT = 500

module.exports = { readFlag, readId, readIds, readLimit, readText, readTime, value }

// Returns undefined if the request does not have it.
function value (req, name) {
  const own = (from) => from && Object.prototype.hasOwnProperty.call(from, name) ? from[name] : undefined
  const found = own(req.body)
  return found === undefined ? own(req.query) : found
}

function readText (req, name, longest = LONGEST_TEXT) {
  const text = value(req, name)
  if (text !== undefined && (typeof text !== 'string' || !text || text.length > longest)) {
    throw invalid(`invalid-${name}`)
  }
  return text
}

function readId (req, name) {
  const id = readText(req, name, 1000)
  if (id !== undefined && !isUnambiguous(req.appid, id)) {
    throw invalid(`invalid-${name}`)
  }
  return id
}

// Ids as an array, or separated by commas.
function readIds (req, name) {
  const found = value(req, name)
  if (found === undefined) {
    return
  }
  const ids = typeof found === 'string' ? found.split(',').map((id) => id.trim()) : found
  if (!Array.isArray(ids) || !ids.length || ids.length > MOST_IDS || ids.some((id) => typeof id !== 'string' || !id || !isUnambiguous(req.appid, id))) {
    throw invalid(`invalid-${name}`)
  }
  return [...new Set(ids)]
}

function readFlag (req, name) {
  const flag = value(req, name)
  if (![undefined, true, false, 'true', 'false'].includes(flag)) {
    throw invalid(`invalid-${name}`)
  }
  return flag === true || flag === 'true'
}

// Whole seconds, which are not in the future.
function readTime (req, name) {
  const time = readNumber(req, name)
  if (time !== undefined && time > now()) {
    throw invalid(`invalid-${name}`, 'a time in the future would end sessions that are still to be created')
  }
  return time
}

function readLimit (req, most, byDefault) {
  const limit = readNumber(req, 'limit')
  if (limit !== undefined && (limit < 1 || limit > most)) {
    throw invalid('invalid-limit')
  }
  return limit === undefined ? byDefault : limit
}

function readNumber (req, name) {
  const found = value(req, name)
  if (found === undefined) {
    return
  }
  const isWhole = typeof found === 'string' ? /^\d{1,12}$/.test(found) : Number.isInteger(found) && found >= 0
  if (!isWhole) {
    throw invalid(`invalid-${name}`)
  }
  return Number(found)
}
