/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const { reads } = require('../lib/storage.js')
const { openStore } = require('../lib/open-stores.js')
const { host } = require('./contract/make-application.js')
const { useStore } = require('./helper.js')
const { encrypt, otherSecrets, secrets, useSecret } = require('./helpers/secret.js')

// Our Storage.read in a running Dashboard and Dashboard's own, on the same store.
describe('storage-read', () => {
  const store = useStore()
  let applicationPath, ours, theirs
  beforeEach(async () => {
    applicationPath = global.applicationPath
    global.applicationPath = path.join(host, '..', '..', '..')
    await open()
  })
  afterEach(() => {
    delete process.env.STORAGE
    global.applicationPath = applicationPath
    useSecret()
  })

  const texts = ['', 'text', '{"a":1}', '0', 'null', ' ', 'Müller 日本 🚀 \0', '\ud800', 'ab', 'abc', '616', 'zz', 'A1b2', '{"a":"'.padEnd(9000, 'x') + '"}', 'f'.repeat(300000)]
  const names = ['missing', '../up', '__proto__', 'a\ud800', 'k'.repeat(70000), '', undefined, null, 0, 5, true, {}, [], ['a'], Buffer.from('a')]
  const settings = [
    {},
    secrets,
    otherSecrets,
    { ENCRYPTION_SECRET: 'short', ENCRYPTION_SECRET_IV: secrets.ENCRYPTION_SECRET_IV },
    { ENCRYPTION_SECRET: secrets.ENCRYPTION_SECRET, ENCRYPTION_SECRET_IV: 'short' },
    { ENCRYPTION_SECRET: secrets.ENCRYPTION_SECRET },
    { ENCRYPTION_SECRET_IV: secrets.ENCRYPTION_SECRET_IV }
  ]

  it('gives what the host\'s own gives', async () => {
    const files = []
    for (const [i, text] of texts.entries()) {
      await store.storage.write(`plain/${i}`, text)
      await store.storage.write(`encrypted/${i}`, encrypt(text, secrets))
      await store.storage.writeBinary(`binary/${i}`, Buffer.from(text, 'latin1'))
      files.push(`plain/${i}`, `encrypted/${i}`, `binary/${i}`)
    }
    await store.storage.write('a', 'found')
    for (const secret of settings) {
      useSecret(secret)
      for (const file of [...files, 'a', ...names]) {
        await assertSame(file)
      }
    }
  }).timeout(60000)

  it('does so while a record is not in memory', async () => {
    useSecret(secrets)
    await store.storage.write('a', encrypt('text'))
    await store.storage.write('empty', '')
    for (const file of ['a', 'empty', 'missing']) {
      await reopen()
      const result = await outcome(ours, file)
      await reopen()
      assert.deepStrictEqual(result, await outcome(theirs, file))
    }
  })

  it('fails as the host\'s own if the store is closed', async () => {
    await store.storage.write('a', 'text')
    await store.storage.close()
    await assertSame('a')
    await assertSame('')
    await store.open()
  })

  async function open () {
    process.env.STORAGE = 'dashboard-sled'
    theirs = (await require(path.join(host, 'src', 'storage.js')).setup()).read
    ours = reads(await openStore()).read
  }

  async function reopen () {
    await store.reopen()
    await open()
  }

  async function assertSame (file) {
    const name = String(file).substring(0, 20)
    assert.deepStrictEqual(await outcome(ours, file), await outcome(theirs, file), `${name} under ${global.encryptionSecret}`)
  }

  async function outcome (read, file) {
    try {
      return { result: await read(file) }
    } catch (error) {
      return { error: error.message }
    }
  }
})
