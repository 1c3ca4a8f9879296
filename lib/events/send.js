// One request to the receiver of webhooks, as https://www.standardwebhooks.com describes it.
const http = require('http')
const https = require('https')
const net = require('net')
const { entryView, toEvent } = require('../audit/view.js')
const { version } = require('../../package.json')
const { isPublic, lookUpPublic, refusal } = require('./addresses.js')

// Time limit of a request, from the look-up of the name to the end of the answer.
const LIMIT_MS = 15 * 1000
// Bytes of an answer that are read so that the connection can be used again.
const MOST_READ = 16 * 1024
// Answers of a proxy, or of a receiver that takes nothing at the moment. They say nothing about the account.
const RECEIVER_IS_DOWN = [429, 502, 503, 504]

module.exports = class Sender {
  constructor ({ url, secret, allowsPrivate }, limitMs = LIMIT_MS) {
    const { Webhook } = require('standardwebhooks')
    this.limitMs = limitMs
    // While a secret is replaced there are two of them, and a signature for each.
    this.signers = secret.trim().split(/\s+/).map((one) => new Webhook(one))
    this.allowsPrivate = allowsPrivate
    this.host = url.hostname.replace(/^\[|\]$/g, '')
    const { Agent, request } = url.protocol === 'https:' ? https : http
    this.request = request
    this.agent = new Agent({ keepAlive: true })
    this.options = {
      agent: this.agent,
      method: 'POST',
      host: this.host,
      port: url.port || undefined,
      path: `${url.pathname}${url.search}`,
      auth: url.username ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` : undefined,
      lookup: allowsPrivate ? undefined : lookUpPublic
    }
  }

  // Resolves to `{ delivered: true }`, or to the reason why not; `isDown` says that it does not depend on the account.
  async send (entry) {
    if (!this.allowsPrivate && net.isIP(this.host) && !isPublic(this.host)) {
      return failed(refusal())
    }
    const message = messageOf(entry)
    try {
      return await this.attempt(message)
    } catch (error) {
      // The receiver closed a connection that was kept.
      return error.isKept ? this.attempt(message).catch(failed) : failed(error)
    }
  }

  attempt ({ id, body }) {
    const time = new Date()
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': `dashboard-sled/${version}`,
      'webhook-id': id,
      'webhook-timestamp': Math.floor(time / 1000),
      'webhook-signature': this.signers.map((signer) => signer.sign(id, time, body)).join(' ')
    }
    return new Promise((resolve, reject) => {
      const request = this.request({ ...this.options, headers, signal: AbortSignal.timeout(this.limitMs) })
      let outcome
      request.on('error', (error) => {
        error.isKept = request.reusedSocket && error.code === 'ECONNRESET'
        outcome ? resolve(outcome) : reject(error)
      })
      request.on('response', (response) => {
        const { statusCode } = response
        outcome = statusCode >= 200 && statusCode < 300
          ? { delivered: true }
          : { delivered: false, reason: `status ${statusCode}`, isDown: RECEIVER_IS_DOWN.includes(statusCode), retryAfter: retryAfter(response) }
        let read = 0
        response.on('data', (data) => {
          read += data.length
          if (read > MOST_READ) {
            request.destroy()
          }
        })
        // The status decides, even if the rest of the answer does not arrive.
        response.on('error', () => {})
        response.on('close', () => resolve(outcome))
      })
      request.end(body)
    })
  }

  close () {
    this.agent.destroy()
  }
}

module.exports.messageOf = messageOf

// The id stays the same for every attempt. With a part of the hash it is of this entry alone: after the restore of a backup,
// another one may get the same number.
function messageOf (entry) {
  return {
    id: `entry_${entry.number}_${entry.hash.slice(0, 12)}`,
    body: JSON.stringify({ type: typeOf(entry), timestamp: new Date(entry.time * 1000).toISOString(), data: toEvent(entryView(entry)) })
  }
}

function typeOf ({ details }) {
  if (!details || details.sessionid !== undefined) {
    return 'session.ended'
  }
  return details.accountid === undefined ? 'application.sessions_ended' : 'account.sessions_ended'
}

// The error of a request would name the address and the path.
function failed (error) {
  const reason = error.name === 'TimeoutError' || error.cause?.name === 'TimeoutError' ? 'no answer in time' : String(error.code || 'no connection')
  return { delivered: false, reason, isDown: true, isRefused: error.code === 'address-refused' }
}

// Returns milliseconds, 0 if the answer does not ask for any.
function retryAfter ({ headers }) {
  const text = headers['retry-after']
  const wait = /^\d{1,9}$/.test(text) ? text * 1000 : Date.parse(text) - Date.now()
  return wait > 0 ? wait : 0
}
