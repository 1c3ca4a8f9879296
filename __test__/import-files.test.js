/* eslint-env mocha */
const assert = require('assert')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder, rejection } = require('./helper.js')
const { open } = require('../lib/import/files.js')
const { runDashboard } = require('./import/dashboard.js')
const { collect, requireFailure } = require('./import/read.js')

describe('import from files', () => {
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
    // Five milliseconds, and fractions of them that Dashboard ignores.
    for (const [i, item] of fs.readdirSync(items).entries()) {
      const seconds = 1600000000 + (i * 7 % 5) / 1000 + (i * 3 % 4) / 10000
      fs.utimesSync(path.join(items, item), seconds, seconds)
    }
    const { accounts: shown } = await runDashboard(...place, 'look', {}, { APPID: 'plain' })
    assert.strictEqual(shown.length, accounts)
    const { lists } = await read()
    assert.deepStrictEqual(lists['plain/accounts'], shown.reverse())
  }).timeout(60000)
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
  }).timeout(60000)
  it('names what is too large, and does not read it', async () => {
    write('list/a-list/an-item', '')
    write('dashboard/fits', 'x')
    write('dashboard/too-large', '')
    fs.truncateSync(path.join(data, 'dashboard', 'too-large'), 64 * 1024 * 1024 + 1)
    const source = await open(data)
    const named = { tooLarge: 'dashboard/too-large', reason: 'its contents have 67108865 bytes, over 64 MiB' }
    assert.deepStrictEqual(await source.survey(), { total: 2, tooLarge: [named] })
    const found = []
    for await (const entry of source.entries()) {
      found.push(entry)
    }
    await source.close()
    assert.deepStrictEqual(found.filter(({ tooLarge }) => tooLarge), [named])
  })
  it('gives a long list in parts', async () => {
    const items = Array.from({ length: 2500 }, (_, i) => String(i))
    for (const item of items) {
      write(`list/many/${item}`, '')
      fs.utimesSync(path.join(data, 'list', 'many', item), 1600000000 + Number(item), 1600000000 + Number(item))
    }
    assert.deepStrictEqual((await read()).lists, { many: items })
  }).timeout(60000)

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
    for (const [title, swap] of Object.entries({
      'when a file becomes a link after the look': (secret) => {
        fs.rmSync(path.join(data, 'dashboard', 'picture'))
        fs.symlinkSync(path.join(secret, 'picture'), path.join(data, 'dashboard', 'picture'))
      },
      'when a folder above it becomes a link after the look': (secret) => {
        fs.renameSync(path.join(data, 'dashboard'), path.join(folder, 'away'))
        fs.symlinkSync(secret, path.join(data, 'dashboard'))
      },
      'when a file becomes a pipe after the look': () => {
        fs.rmSync(path.join(data, 'dashboard', 'picture'))
        execFileSync('mkfifo', [path.join(data, 'dashboard', 'picture')])
      }
    })) {
      it(title, async () => {
        write('list/a-list/an-item', '')
        write('dashboard/picture', 'of the dashboard')
        write('../secret/picture', 'of another user')
        const { lstat } = fs.promises
        let looked = 0
        // The last moment before the file is opened.
        fs.promises.lstat = async (file, ...args) => {
          const found = await lstat(file, ...args)
          if (String(file).endsWith('picture')) {
            looked++
            swap(path.join(folder, 'secret'))
          }
          return found
        }
        try {
          requireFailure(await rejection(read()), 'source-changed', {})
        } finally {
          fs.promises.lstat = lstat
        }
        assert.strictEqual(looked, 1)
      })
    }
    it('when a folder becomes a link before it is listed', async () => {
      write('list/a-list/an-item', '')
      write('dashboard/session/session_1', 'a session')
      write('../secret/of-another', '')
      const { opendir } = fs.promises
      let listed = 0
      fs.promises.opendir = async (...args) => {
        const opened = await opendir(...args)
        // The root is open, and its entries are known.
        if (++listed === 2) {
          const { read } = opened
          opened.read = async () => {
            const entry = await read.call(opened)
            fs.rmSync(path.join(data, 'dashboard'), { recursive: true, force: true })
            fs.symlinkSync(path.join(folder, 'secret'), path.join(data, 'dashboard'))
            opened.read = read
            return entry
          }
        }
        return opened
      }
      try {
        const source = await open(data)
        const found = []
        try {
          for await (const entry of source.entries()) {
            found.push(entry)
          }
        } catch (error) {
          requireFailure(error, 'source-changed', {})
        }
        assert(!JSON.stringify(found).includes('of-another'), JSON.stringify(found))
      } finally {
        fs.promises.opendir = opendir
      }
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
