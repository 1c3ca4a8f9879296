// Settings of the module, which are active only while it is listed under dashboard.modules. README describes the same settings; a
// test compares the two.
const { readAge } = require('./age.js')
const { readProxies } = require('./client.js')
const { failure } = require('./errors.js')

const CODE = 'ERR_MODULE_SETTING'

const moduleSettings = {
  idleAfter: { variable: 'SESSION_IDLE_AFTER', slug: 'invalid-session-idle-after' },
  absoluteAfter: { variable: 'SESSION_ABSOLUTE_AFTER', slug: 'invalid-session-absolute-after' },
  perAccount: { variable: 'SESSIONS_PER_ACCOUNT', slug: 'invalid-sessions-per-account' },
  auditKeep: { variable: 'SLED_AUDIT_KEEP', slug: 'invalid-sled-audit-keep', byDefault: '400d' },
  auditClients: { variable: 'SLED_AUDIT_CLIENTS', slug: 'invalid-sled-audit-clients' },
  proxies: { variable: 'TRUSTED_PROXIES', slug: 'invalid-trusted-proxies' },
  metricsToken: { variable: 'SLED_METRICS_TOKEN', slug: 'invalid-sled-metrics-token' },
  webhookUrl: { variable: 'SLED_WEBHOOK_URL', slug: 'invalid-sled-webhook-url' },
  webhookSecret: { variable: 'SLED_WEBHOOK_SECRET', slug: 'invalid-sled-webhook-secret' },
  webhookPrivate: { variable: 'SLED_WEBHOOK_PRIVATE', slug: 'invalid-sled-webhook-private' }
}

// A session is written as seen at most once a minute, so a shorter time would end sessions that are used.
const LEAST_IDLE = 120
const LEAST_TOKEN = 16
// Bytes of a webhook's secret.
const LEAST_SECRET = 24
const MOST_SECRET = 64

module.exports = { moduleSettings, readModuleSettings }

function readModuleSettings () {
  const idleAfter = readSetting('idleAfter', readSeconds)
  if (idleAfter !== undefined && idleAfter < LEAST_IDLE) {
    throw refusal('idleAfter', `is shorter than ${LEAST_IDLE}s; when a session was last seen is written once a minute`)
  }
  return {
    idleAfter,
    absoluteAfter: readSetting('absoluteAfter', readSeconds),
    perAccount: readSetting('perAccount', readCount),
    auditKeep: readSetting('auditKeep', readSeconds),
    keepsClients: readSetting('auditClients', readOff) ?? true,
    proxies: readProxies(process.env[moduleSettings.proxies.variable], (item) => { throw refusal('proxies', `${item} is not an address or a network such as 10.0.0.0/8`, '') }),
    metricsToken: readSetting('metricsToken', readToken),
    webhook: readWebhook()
  }
}

function readSetting (name, read) {
  const { variable, byDefault } = moduleSettings[name]
  const text = process.env[variable] || byDefault
  return text === undefined ? undefined : read(text, name)
}

function readSeconds (text, name) {
  return readAge(text, { ...moduleSettings[name], code: CODE })
}

function readCount (text, name) {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw refusal(name, 'is not a whole number from 1 to 999999')
  }
  return Number(text)
}

function readOff (text, name) {
  if (text !== 'off') {
    throw refusal(name, 'is not off, the only value that it can have')
  }
  return false
}

// The token itself is in no message.
function readToken (text, name) {
  if (text.length < LEAST_TOKEN) {
    throw refusal(name, `has fewer than ${LEAST_TOKEN} characters`, '')
  }
  return text
}

function readWebhook () {
  const url = readSetting('webhookUrl', readUrl)
  const secret = readSetting('webhookSecret', readSecret)
  if (Boolean(url) !== Boolean(secret)) {
    throw refusal(url ? 'webhookSecret' : 'webhookUrl', 'is missing; a webhook needs both', '')
  }
  const allowsPrivate = readSetting('webhookPrivate', readOn) ?? false
  if (url?.protocol === 'http:' && !allowsPrivate) {
    throw refusal('webhookUrl', 'has no https, so others could read the events on their way; http needs SLED_WEBHOOK_PRIVATE=allow', '')
  }
  return url && { url, secret, allowsPrivate }
}

function readOn (text, name) {
  if (text !== 'allow') {
    throw refusal(name, 'is not allow, the only value that it can have')
  }
  return true
}

// As Standard Webhooks has it: base64 of 24 to 64 bytes. Two of them, with a space between, while one is replaced. It is in no message.
function readSecret (text, name) {
  const isSecret = (one) => {
    const [, base64] = /^(?:whsec_)?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(one) || []
    const size = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length
    return size >= LEAST_SECRET && size <= MOST_SECRET
  }
  const secrets = text.trim().split(/\s+/)
  if (secrets.length > 2 || !secrets.every(isSecret)) {
    throw refusal(name, `is not whsec_ with base64 of ${LEAST_SECRET} to ${MOST_SECRET} bytes after it; openssl rand -base64 32 makes the base64`, '')
  }
  return text
}

// The URL may have a secret in it.
function readUrl (text, name) {
  let url
  try {
    url = new URL(text)
  } catch (error) {
    throw refusal(name, 'is not a URL', '')
  }
  if (!['https:', 'http:'].includes(url.protocol)) {
    throw refusal(name, 'is not an address of https', '')
  }
  return url
}

function refusal (name, sentence, text) {
  const { variable, slug } = moduleSettings[name]
  const shown = text ?? `"${process.env[variable]}" `
  return failure(slug, CODE, `${variable}: ${shown}${sentence}`)
}
