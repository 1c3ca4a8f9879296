// The calls about events: watch, and the events that the webhook could not deliver.
const { retry, undelivered } = require('../events/undelivered.js')
const { watch } = require('../events/watch.js')
const { invalid } = require('../errors.js')
const { readFlag, value } = require('./arguments.js')
const { current } = require('./module.js')

const Webhooks = {
  undelivered: async (req) => undelivered(current(), applicationOf(req), readNumber(req, 'cursor')),
  retry: async (req) => {
    const appid = applicationOf(req)
    const number = readNumber(req, 'number')
    if ((number !== undefined) === readFlag(req, 'all')) {
      throw invalid('invalid-number', 'give either the number of an event, or all')
    }
    return retry(current(), appid, number)
  }
}

module.exports = { Webhooks, watch: (options) => watch(current(), options) }

function applicationOf (req) {
  const appid = req?.appid
  if (typeof appid !== 'string' || !appid) {
    throw invalid('invalid-appid')
  }
  return appid
}

function readNumber (req, name) {
  const found = value(req, name)
  if (found === undefined) {
    return
  }
  const number = typeof found === 'string' && /^\d{1,15}$/.test(found) ? Number(found) : found
  if (!Number.isSafeInteger(number) || number < 1) {
    throw invalid(`invalid-${name}`)
  }
  return number
}
