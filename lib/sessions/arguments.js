// The arguments of a request: from its body and its query, as text over HTTP or as values from a call. Nothing matches everything by
// accident: a name that is given and empty is refused.
const { invalid } = require('../errors.js')
const { isUnambiguous } = require('../host-keys.js')
const { now } = require('../host.js')

const MOST_IDS = 1000
const LONGEST_TEXT = 500

module.exports = { readFlag, readId, readIds, readLimit, readNumber, readPastTime, readText, requireApplication, requireKnown, value }

// Fails for a request without an application.
function requireApplication (req) {
  if (typeof req?.appid !== 'string' || !isUnambiguous(req.appid, '')) {
    throw invalid('invalid-appid', 'appid is the name of an application')
  }
}

// Fails if the request has another parameter than these, or one of them twice: of a call that changes something, no part may be lost.
function requireKnown (req, names) {
  for (const from of [req.body, req.query]) {
    const unknown = Object.keys(from || {}).find((name) => !names.includes(name))
    if (unknown !== undefined) {
      throw invalid('invalid-parameter', `there is no parameter ${unknown.slice(0, 100)}; the parameters are ${names.join(', ')}`)
    }
  }
  const twice = Object.keys(req.body || {}).find((name) => req.query?.[name] !== undefined && req.query[name] !== req.body[name])
  if (twice !== undefined) {
    throw invalid('invalid-parameter', `${twice} is in the body and in the query, and differs`)
  }
}

// Returns undefined if the request does not have it.
function value (req, name) {
  const own = (from) => from && Object.prototype.hasOwnProperty.call(from, name) ? from[name] : undefined
  const found = own(req.body)
  return found === undefined ? own(req.query) : found
}

function readText (req, name, longest = LONGEST_TEXT) {
  const text = value(req, name)
  if (text !== undefined && (typeof text !== 'string' || !text || text.length > longest)) {
    throw invalid(`invalid-${name}`, `${name} is a text of 1 to ${longest} characters`)
  }
  return text
}

function readId (req, name) {
  const id = readText(req, name, 1000)
  if (id !== undefined && !isUnambiguous(req.appid, id)) {
    throw invalid(`invalid-${name}`, `${name} has account/ or session/ in it, which no id has`)
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
    throw invalid(`invalid-${name}`, `${name} is an array of 1 to ${MOST_IDS} ids, or a text with commas between them`)
  }
  return [...new Set(ids)]
}

function readFlag (req, name) {
  const flag = value(req, name)
  if (![undefined, true, false, 'true', 'false'].includes(flag)) {
    throw invalid(`invalid-${name}`, `${name} is true or false`)
  }
  return flag === true || flag === 'true'
}

// A time in whole seconds that has passed. Dashboard's clock may be behind that of the system; sessions that it has still to create do not count.
function readPastTime (req, name) {
  const time = readNumber(req, name)
  if (time !== undefined && time > Math.max(now(), Date.now() / 1000)) {
    throw invalid(`invalid-${name}`, `${name} is in the future: that would end sessions that are still to be created`)
  }
  return time === undefined ? undefined : Math.min(time, now() + 1)
}

function readLimit (req, most, byDefault) {
  const limit = readNumber(req, 'limit')
  if (limit !== undefined && (limit < 1 || limit > most)) {
    throw invalid('invalid-limit', `limit is a whole number from 1 to ${most}`)
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
    throw invalid(`invalid-${name}`, `${name} is a whole number`)
  }
  return Number(found)
}
