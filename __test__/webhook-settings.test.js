/* eslint-env mocha */
const assert = require('assert')
const { moduleSettings, readModuleSettings } = require('../lib/module-settings.js')

const base64 = (bytes) => Buffer.alloc(bytes, 1).toString('base64')
const good = { SLED_WEBHOOK_URL: 'https://hooks.example.com/a?key=a-key', SLED_WEBHOOK_SECRET: `whsec_${base64(32)}` }

describe('settings of webhooks', () => {
  const variables = Object.values(moduleSettings).map(({ variable }) => variable)
  let before
  beforeEach(() => {
    before = variables.map((name) => process.env[name])
    variables.forEach((name) => delete process.env[name])
  })
  afterEach(() => variables.forEach((name, index) => {
    delete process.env[name]
    if (before[index] !== undefined) {
      process.env[name] = before[index]
    }
  }))

  describe('exceptions', () => {
    const refused = {
      'a URL without a secret': [{ SLED_WEBHOOK_SECRET: undefined }, 'invalid-sled-webhook-secret'],
      'a secret without a URL': [{ SLED_WEBHOOK_URL: undefined }, 'invalid-sled-webhook-url'],
      'no URL': [{ SLED_WEBHOOK_URL: 'hooks.example.com' }, 'invalid-sled-webhook-url'],
      'another protocol': [{ SLED_WEBHOOK_URL: 'file:///etc/passwd' }, 'invalid-sled-webhook-url'],
      'http without the permission': [{ SLED_WEBHOOK_URL: 'http://hooks.example.com/' }, 'invalid-sled-webhook-url'],
      'a short secret': [{ SLED_WEBHOOK_SECRET: `whsec_${base64(23)}` }, 'invalid-sled-webhook-secret'],
      'a long secret': [{ SLED_WEBHOOK_SECRET: `whsec_${base64(65)}` }, 'invalid-sled-webhook-secret'],
      'a secret that is not base64': [{ SLED_WEBHOOK_SECRET: `whsec_${base64(32)}!` }, 'invalid-sled-webhook-secret'],
      'three secrets': [{ SLED_WEBHOOK_SECRET: Array(3).fill(base64(32)).join(' ') }, 'invalid-sled-webhook-secret'],
      'a permission that is not allow': [{ SLED_WEBHOOK_PRIVATE: 'yes' }, 'invalid-sled-webhook-private'],
      'a short token': [{ SLED_METRICS_TOKEN: 'short' }, 'invalid-sled-metrics-token']
    }
    for (const [title, [changed, slug]] of Object.entries(refused)) {
      it(title, () => {
        const env = set(changed)
        assert.throws(() => readModuleSettings(), ({ message, detail }) => {
          assert.strictEqual(message, slug)
          assert(!detail.includes('a-key') && !(env.SLED_WEBHOOK_SECRET && detail.includes(env.SLED_WEBHOOK_SECRET)) && !detail.includes('short"'), detail)
          return true
        })
      })
    }
  })

  describe('returns', () => {
    it('nothing without a URL', () => assert.strictEqual(readModuleSettings().webhook, undefined))
    it('a webhook', () => {
      set({})
      const { url, secret, allowsPrivate } = readModuleSettings().webhook
      assert.deepStrictEqual([url.href, secret, allowsPrivate], [good.SLED_WEBHOOK_URL, good.SLED_WEBHOOK_SECRET, false])
    })
    it('two secrets, with and without the prefix', () => {
      const two = `whsec_${base64(24)} ${base64(64)}`
      set({ SLED_WEBHOOK_SECRET: two })
      assert.strictEqual(readModuleSettings().webhook.secret, two)
    })
    it('http with the permission', () => {
      set({ SLED_WEBHOOK_URL: 'http://localhost/', SLED_WEBHOOK_PRIVATE: 'allow' })
      assert.strictEqual(readModuleSettings().webhook.allowsPrivate, true)
    })
  })

  function set (changed) {
    const env = { ...good, ...changed }
    for (const [name, value] of Object.entries(env)) {
      if (value !== undefined) {
        process.env[name] = value
      }
    }
    return env
  }
})
