/* eslint-env mocha */
const assert = require('assert')
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { freePort } = require('./contract/free-port.js')
const { blocksOf, read } = require('./documents/read.js')
const Sender = require('../lib/events/send.js')
const { secret, startReceiver } = require('./helpers/receiver.js')
const { makeFolder } = require('./helper.js')
const { until } = require('./helpers/times.js')

const root = path.join(__dirname, '..')
const [example] = blocksOf('docs/events.md', 'js')
const entry = (number) => ({ number, time: 1, cause: 'signed-out', appid: 'app', hash: String(number).repeat(64), details: { accountid: 'an-account', sessionid: 'a-session', actor: { type: 'user' }, salt: 'x' } })

describe('docs/events.md', () => {
  it('the receiver takes what is signed, once', async () => {
    const folder = makeFolder()
    fs.writeFileSync(path.join(folder, 'receiver.js'), example)
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
    const port = await freePort()
    const child = spawn(process.execPath, ['receiver.js'], { cwd: folder, env: { ...process.env, PORT: String(port), SLED_WEBHOOK_SECRET: secret }, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (data) => { output += data })
    const send = (secret, entry) => {
      const sender = new Sender({ url: new URL(`http://127.0.0.1:${port}/`), secret, allowsPrivate: true })
      return sender.send(entry).finally(() => sender.close())
    }
    try {
      await until(async () => (await send(secret, entry(1))).delivered, { every: 50 })
      assert.strictEqual((await send(`whsec_${Buffer.alloc(32, 1).toString('base64')}`, entry(2))).reason, 'status 401')
      assert.strictEqual((await send(secret, entry(1))).delivered, true)
      assert.strictEqual((await send(secret, entry(3))).delivered, true)
      await until(() => output === 'session.ended an-account signed-out\n'.repeat(2))
    } finally {
      child.kill()
      fs.rmSync(folder, { recursive: true })
    }
  }).timeout(60000)
  it('the receiver has at most 15 lines', () => assert(example.trim().split('\n').length <= 15))
  it('the body has the properties of the page', async () => {
    const receiver = await startReceiver()
    const sender = new Sender({ url: receiver.url, secret, allowsPrivate: true })
    const { details, ...whole } = entry(17)
    await sender.send({ ...whole, details: { ...details, address: 'x', agent: 'x', reason: 'x' } })
    sender.close()
    await receiver.close()
    const [shown] = blocksOf('docs/events.md', 'json').map((text) => JSON.parse(text))
    const [{ event }] = receiver.requests
    assert.deepStrictEqual(Object.keys(event).sort(), Object.keys(shown).sort())
    assert.deepStrictEqual(Object.keys(event.data).sort(), Object.keys(shown.data).sort())
  })
  it('the metrics are those of Grafana\'s dashboard', () => {
    const named = (text) => [...new Set(text.match(/\bdashboard_\w+/g))].map((name) => name.replace(/_(bucket|sum|count)$/, ''))
    const drawn = named(fs.readFileSync(path.join(root, 'examples', 'grafana', 'dashboard.json'), 'utf8'))
    assert.deepStrictEqual([...new Set(named(read('docs/events.md')))].sort(), [...new Set(drawn)].sort())
  })
})
