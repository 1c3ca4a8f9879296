/* eslint-env mocha */
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection } = require('./helper.js')
const { open } = require('../src/transfer/files.js')
const { runDashboard } = require('./transfer/dashboard.js')
const { collect, requireFailure } = require('./transfer/read.js')

describe('source files', () => {
  let folder, data
  beforeEach(() => {
    folder = makeFolder()
    data = path.join(folder, 'data')
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('gives items in the order that Dashboard shows, those of one millisecond too', async () => {
    const accounts = 40
    const place = [folder, 'files', data]
    await runDashboard(...place, 'fill', { count: accounts })
    const items = path.join(data, 'list', 'plain', 'accounts')
    fs.renameSync(path.join(data, 'list', 'dashboard'), path.join(data, 'list', 'plain'))
    fs.renameSync(path.join(data, 'dashboard'), path.join(data, 'plain'))
    // Five milliseconds, and parts of them that the host does not look at.
    for (const [i, item] of fs.readdirSync(items).entries()) {
      const seconds = 1600000000 + (i * 7 % 5) / 1000 + (i * 3 % 4) / 10000
      fs.utimesSync(path.join(items, item), seconds, seconds)
    }
    const { accounts: shown } = await runDashboard(...place, 'look', {}, { APPID: 'plain' })
    assert.strictEqual(shown.length, accounts)
    const { lists } = await read()
    assert.deepStrictEqual(lists['plain/accounts'], shown.reverse())
  }).timeout(30000)
  it('goes neither after links nor into stores, and says what it leaves out', async () => {
    const outside = path.join(folder, 'outside')
    write('../outside/secret', 'of another')
    write('a-record', 'its contents')
    write('.dot/..name', '')
    write('not-a-list/list/record', 'x')
    write('list/a-list/an-item', '')
    write('list/a-list/nested/its-item', '')
    write('list/a-list/with-contents', 'x')
    write('list/no-list', '')
    fs.symlinkSync(outside, path.join(data, 'linked-folder'))
    fs.symlinkSync(path.join(outside, 'secret'), path.join(data, 'linked-file'))
    fs.symlinkSync(path.join(outside, 'secret'), path.join(data, 'list', 'a-list', 'linked-item'))
    execFileSync('mkfifo', [path.join(data, 'pipe')])
    fs.writeFileSync(Buffer.concat([Buffer.from(`${data}/list/a-list/`), Buffer.from([0xff])]), '')
    fs.writeFileSync(Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0xfe])]), '')
    await makeStore(path.join(data, 'dashboard.sled'))
    const { records, lists, skipped } = await read()
    assert.deepStrictEqual(records, {
      'a-record': Buffer.from('its contents'),
      '.dot/..name': Buffer.alloc(0),
      'not-a-list/list/record': Buffer.from('x')
    })
    assert.deepStrictEqual(lists, { 'a-list': ['an-item'], 'a-list/nested': ['its-item'] })
    assert.deepStrictEqual(skipped, [
      { skipped: 'dashboard.sled', reason: 'a store of dashboard-sled' },
      { skipped: 'linked-file', reason: 'a symbolic link' },
      { skipped: 'linked-folder', reason: 'a symbolic link' },
      { skipped: 'list/a-list/linked-item', reason: 'a symbolic link' },
      { skipped: 'list/a-list/with-contents', reason: 'a file with contents among the items of a list' },
      { skipped: 'list/a-list/\ufffd', reason: 'a name that is not UTF-8' },
      { skipped: 'list/no-list', reason: 'a file outside of a list' },
      { skipped: 'pipe', reason: 'neither a file nor a folder' },
      { skipped: '\ufffd', reason: 'a name that is not UTF-8' }
    ])
  }).timeout(30000)
  it('a long list in parts', async () => {
    const items = Array.from({ length: 2500 }, (_, i) => String(i))
    for (const item of items) {
      write(`list/many/${item}`, '')
      fs.utimesSync(path.join(data, 'list', 'many', item), 1600000000 + Number(item), 1600000000 + Number(item))
    }
    assert.deepStrictEqual((await read()).lists, { many: items })
  }).timeout(30000)

  describe('fails', () => {
    it('without a folder', async () => {
      await fails(path.join(folder, 'nothing'), 'source-unreachable', 'ENOENT')
      await fails('', 'source-unreachable', 'ENOENT')
    })
    it('in a file', async () => {
      write('a-file', '')
      await fails(path.join(data, 'a-file'), 'source-unreachable', 'ENOTDIR')
    })
    it('in a folder that no dashboard wrote', async () => {
      await fails(folder, 'source-not-dashboard', folder)
      await makeStore(path.join(folder, 'store'))
      await fails(path.join(folder, 'store'), 'source-not-dashboard', folder)
    })
    it('when a record vanishes', async () => {
      write('list/a-list/an-item', '')
      for (let i = 0; i < 3; i++) {
        write(`large/${i}`, Buffer.alloc(10 * 1024 * 1024))
      }
      await vanishes(path.join(data, 'large'))
    })
    it('when an item vanishes', async () => {
      for (let i = 0; i < 200; i++) {
        write(`list/a-list/${i}`, 'not an item')
      }
      await vanishes(path.join(data, 'list', 'a-list'))
    })
  })

  async function read () {
    const source = await open(data)
    const all = await collect(source)
    await source.close()
    return all
  }

  function write (name, contents) {
    const file = path.join(data, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, contents)
  }

  async function makeStore (store) {
    process.env.SLED_PATH = store
    const storage = await addon.Storage.setup()
    await storage.write('a-key', 'a value')
    await storage.close()
    delete process.env.SLED_PATH
  }

  async function fails (folder, slug, part) {
    const error = await rejection(open(folder))
    requireFailure(error, slug, {})
    assert(error.detail.includes(part), error.detail)
  }

  async function vanishes (gone) {
    const source = await open(data)
    const reading = (async () => {
      for await (const entry of source.entries()) {
        assert(entry)
        fs.rmSync(gone, { recursive: true, force: true })
      }
    })()
    const error = await rejection(reading)
    requireFailure(error, 'source-changed', {})
    assert(error.detail.includes(gone), error.detail)
    await source.close()
  }
})
