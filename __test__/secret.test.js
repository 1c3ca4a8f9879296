/* eslint-env mocha */
const assert = require('assert')
const util = require('util')
const { Worker } = require('worker_threads')
const { configuredSecret, decrypt, hostSecret } = require('../lib/host.js')
const helper = require('./helpers/secret.js')

const { encrypt, otherSecrets, secrets, useSecret } = helper

// Dashboard returns a text that its decipher refuses.
function asDashboard (text) {
  try {
    return helper.decrypt(text)
  } catch (error) {
    return text
  }
}

describe('secret', () => {
  const names = Object.keys(secrets)
  let before

  beforeEach(() => {
    before = names.map((name) => process.env[name])
    names.forEach((name) => delete process.env[name])
  })
  afterEach(() => {
    useSecret()
    names.forEach((name, i) => {
      delete process.env[name]
      if (before[i] !== undefined) {
        process.env[name] = before[i]
      }
    })
  })

  it('is undefined without encryption', () => {
    assert.strictEqual(hostSecret(), undefined)
    assert.strictEqual(configuredSecret(), undefined)
  })
  it('stays the same until it changes', () => {
    useSecret(secrets)
    const first = hostSecret()
    assert.strictEqual(hostSecret(), first)
    assert.strictEqual(configuredSecret(), first)
    useSecret({ ...secrets, ENCRYPTION_SECRET_IV: otherSecrets.ENCRYPTION_SECRET_IV })
    assert.notStrictEqual(hostSecret(), first)
    useSecret()
    assert.strictEqual(hostSecret(), undefined)
  })
  it('is read from the environment without a host', () => {
    Object.assign(process.env, secrets)
    assert.strictEqual(hostSecret(), undefined)
    assert.strictEqual(decrypt(encrypt('text', secrets), configuredSecret()), 'text')
    useSecret(otherSecrets)
    assert.strictEqual(decrypt(encrypt('text', otherSecrets), configuredSecret()), 'text')
  })
  it('decrypts as Node does', () => {
    for (const pair of [secrets, otherSecrets, secrets]) {
      useSecret(pair)
      for (const text of [encrypt('{"a":"ä€😀"}'), '{"a":1}', 'abcd', 'abc', '', '00zz', 'ffff', 'İİ', 'ää']) {
        assert.strictEqual(decrypt(text, hostSecret()), asDashboard(text), text)
      }
    }
  })
  it('leaves a text as it is if it is invalid', () => {
    for (const [key, iv] of [['short', 'short'], [secrets.ENCRYPTION_SECRET], ['x'.repeat(100000), secrets.ENCRYPTION_SECRET_IV]]) {
      useSecret({ ENCRYPTION_SECRET: key, ENCRYPTION_SECRET_IV: iv })
      assert.strictEqual(decrypt('abcd', hostSecret()), 'abcd')
    }
  })
  it('is not shown', () => {
    useSecret(secrets)
    const shown = util.inspect(hostSecret(), { depth: null, showHidden: true }) + JSON.stringify(hostSecret())
    assert(!/0123456789/.test(shown), shown)
  })
  it('is one of its own in each thread', async () => {
    useSecret(secrets)
    const thread = new Worker(`
      const { parentPort, workerData: { host, secrets, text } } = require('worker_threads')
      const { decrypt, hostSecret } = require(host)
      global.encryptionSecret = secrets.ENCRYPTION_SECRET
      global.encryptionSecretIV = secrets.ENCRYPTION_SECRET_IV
      parentPort.postMessage(decrypt(text, hostSecret()))
    `, { eval: true, workerData: { host: require.resolve('../lib/host.js'), secrets: otherSecrets, text: encrypt('text', otherSecrets) } })
    const text = await new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
    assert.strictEqual(text, 'text')
    assert.strictEqual(decrypt(encrypt('own'), hostSecret()), 'own')
  })
})
