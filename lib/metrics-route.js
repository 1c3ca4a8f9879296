// /metrics of the dashboard, for those who have SLED_METRICS_TOKEN. Without the setting the path is Dashboard's, which knows no such
// page.
const { createHash, timingSafeEqual } = require('crypto')
const { metricsText, metricsType } = require('./metrics.js')
const { peekModule } = require('./sessions/module.js')

const METHODS = ['GET', 'HEAD']

module.exports = { answerMetrics, isForMetrics }

function isForMetrics ({ urlPath }) {
  return urlPath === '/metrics' && Boolean(peekModule()?.settings.metricsToken)
}

// `res.ended` tells Dashboard that the request was answered.
async function answerMetrics ({ method, headers }, res) {
  res.ended = true
  res.setHeader('cache-control', 'no-store')
  if (!hasToken(headers.authorization, peekModule().settings.metricsToken)) {
    return end(res, 401, 'text/plain; charset=utf-8', 'the token is missing or wrong\n', { 'www-authenticate': 'Bearer realm="metrics"' })
  }
  if (!METHODS.includes(method)) {
    return end(res, 405, 'text/plain; charset=utf-8', 'only GET\n', { allow: METHODS.join(', ') })
  }
  try {
    return end(res, 200, metricsType, await metricsText())
  } catch (error) {
    return end(res, 503, 'text/plain; charset=utf-8', `${error.message}\n`)
  }
}

function end (res, status, type, text, headers = {}) {
  res.writeHead(status, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(text) })
  res.end(text)
}

// Hashed, because texts of different lengths cannot be compared in constant time.
function hasToken (authorization, token) {
  const [, given] = /^Bearer +(\S+)$/i.exec(authorization || '') || []
  return given !== undefined && timingSafeEqual(hash(given), hash(token))
}

function hash (text) {
  return createHash('sha256').update(text).digest()
}
