// The calls about events.
const { current } = require('../sessions/module.js')
const { retry, undelivered } = require('./undelivered.js')
const { watch } = require('./watch.js')

const Webhooks = {
  undelivered: async (req) => undelivered(current(), req),
  retry: async (req) => retry(current(), req)
}

module.exports = { Webhooks, watch: (options) => watch(current(), options) }
