/* eslint-env mocha */
const assert = require('assert')
const path = require('path')
const addon = require('../index.js')
const { runTool, useStore } = require('./helper.js')
const { seeded } = require('./helpers/random.js')
const { encrypt, secrets, useSecret } = require('./helpers/secret.js')

const appid = 'dashboard'
const req = (kind) => ({ appid, query: { [`${kind}id`]: `${kind}_1` } })

// Bytes that are not UTF-8, in a record that Dashboard reads all the same: the rules have to read it as Dashboard does.
describe('bytes that are not UTF-8', () => {
  const store = useStore()
  // The host's own module, which decrypts what its engine has read.
  const host = require(path.join(__dirname, 'contract', 'application', 'node_modules', '@userdashboard', 'dashboard', 'src', 'storage.js'))
  const write = async (kind, bytes) => store.storage.writeBinary(`${appid}/${kind}/${kind}_1`, bytes)
  const read = async (kind) => JSON.parse(host.decrypt(await store.storage.read(`${appid}/${kind}/${kind}_1`)))
  const reset = () => addon.ResetSessionKey.patch(req('account'))
  const withByte = (object) => Buffer.concat([Buffer.from(JSON.stringify(object).slice(0, -1) + ',"name":"'), Buffer.from([0xff]), Buffer.from('"}')])
  const account = (more) => ({ object: 'account', accountid: 'account_1', sessionKey: 'k1', sessionKeyNumber: 1, ...more })
  const session = (more) => ({ object: 'session', sessionid: 'session_1', accountid: 'account_1', sessionKeyNumber: 1, expires: 4e9, ...more })

  afterEach(() => useSecret())

  it('in a stale write do not bring a session key back', async () => {
    await write('account', Buffer.from(JSON.stringify(account())))
    await reset()
    await write('account', withByte(account()))
    const { name, sessionKey, sessionKeyNumber } = await read('account')
    assert.notStrictEqual(sessionKey, 'k1')
    assert.deepStrictEqual([name, sessionKeyNumber], ['\ufffd', 2])
  })
  it('in a stale write do not remove the end of a session', async () => {
    await write('session', Buffer.from(JSON.stringify(session({ ended: 5 }))))
    await write('session', withByte(session()))
    assert.strictEqual((await read('session')).ended, 5)
  })
  it('in what is stored do not switch the rule off', async () => {
    await write('account', withByte(account({ sessionKey: 'k2', sessionKeyNumber: 2 })))
    await write('account', Buffer.from(JSON.stringify(account({ sessionKey: 'k2' }))))
    assert.strictEqual((await read('account')).sessionKeyNumber, 2)
  })
  it('do not keep an account from a reset', async () => {
    await write('account', withByte(account()))
    await reset()
    const { sessionKey, sessionKeyNumber } = await read('account')
    assert.notStrictEqual(sessionKey, 'k1')
    assert.strictEqual(sessionKeyNumber, 2)
  })
  it('do not keep an account from the end of all sessions by a restore', async () => {
    await write('account', withByte(account()))
    const backup = path.join(store.folder, 'backup')
    await store.storage.backup(backup)
    await store.storage.close()
    const { code, stderr } = await runTool(['restore', backup, '--yes'])
    assert.strictEqual(code, 0, stderr)
    await store.open()
    const { sessionKey, sessionKeyNumber } = await read('account')
    assert.notStrictEqual(sessionKey, 'k1')
    assert.strictEqual(sessionKeyNumber, 2)
  })
  it('behind an old ciphertext do not bring a session key back', async () => {
    useSecret(secrets)
    const old = host.encrypt(JSON.stringify(account()))
    await store.storage.write(`${appid}/account/account_1`, old)
    await reset()
    // A byte in the text, a character cut short at its end, and text behind it that is not hexadecimal.
    const text = JSON.stringify(account())
    for (const stale of [encrypt(withByte(account())), encrypt(Buffer.concat([Buffer.from(text), Buffer.from([0xc3])])), old + 'zz']) {
      await write('account', Buffer.from(stale))
      const { sessionKey, sessionKeyNumber } = await read('account')
      assert.notStrictEqual(sessionKey, 'k1')
      assert.strictEqual(sessionKeyNumber, 2)
    }
  })

  for (const title of ['plain', 'encrypted']) {
    it(`are read as the host reads them, ${title}: 1,500 random texts`, async () => {
      useSecret(title === 'encrypted' ? secrets : undefined)
      const random = seeded(15)
      const tally = { account: 0, none: 0 }
      for (let round = 0; round < 1500; round++) {
        const stored = randomBytes(random)
        await store.storage.delete(`${appid}/account/account_1`)
        await write('account', stored)
        const theirs = readAccount(host.decrypt(stored.toString()))
        const ours = await addon.Account.get(req('account')).catch(({ message }) => message)
        assert.deepStrictEqual(ours, theirs, stored.toString('hex'))
        // The addon alone, without the JavaScript that answers where it cannot.
        const { hostSecret } = require('../lib/host.js')
        const { mainStore } = require('../lib/open-stores.js')
        const text = await mainStore().account(appid, 'account_1', hostSecret())
        assert.deepStrictEqual(text === false ? 'invalid-accountid' : JSON.parse(text), theirs, stored.toString('hex'))
        tally[theirs === 'invalid-accountid' ? 'none' : 'account']++
      }
      assert(tally.account > 250 && tally.none > 50, JSON.stringify(tally))
    }).timeout(60000)
  }

  // An account with bytes of every kind in a value, at its end, or instead of a piece of it.
  function randomBytes (random) {
    const pick = (list) => list[Math.floor(random() * list.length)]
    const byte = () => pick([0x80, 0xbf, 0xc0, 0xc3, 0xa9, 0xe0, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xf0, 0x9f, 0x98, 0xf4, 0x90, 0xf7, 0xfe, 0xff, 0x41, 0x20])
    const some = () => Buffer.from(Array.from({ length: Math.floor(random() * 6) }, byte))
    const parts = [Buffer.from('{"object":"account","name":"'), some(), Buffer.from('"}')]
    if (random() < 0.3) {
      parts.push(pick([some(), Buffer.from(' '), Buffer.from([0xe2, 0x82]), Buffer.from([0xf0]), Buffer.from([0xc3])]))
    }
    const plain = Buffer.concat(parts)
    if (!global.encryptionSecret || random() < 0.1) {
      return plain
    }
    const sealed = Buffer.from(encrypt(plain))
    return random() < 0.2 ? Buffer.concat([sealed, pick([some(), Buffer.from('İİ'), Buffer.from('zz'), Buffer.from('0'), Buffer.from('İı')])]) : sealed
  }

  function readAccount (text) {
    try {
      const account = JSON.parse(text)
      return account.object === 'account' ? account : 'invalid-accountid'
    } catch (error) {
      return 'invalid-accountid'
    }
  }
})
