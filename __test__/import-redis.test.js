/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeFolder, rejection, runTool } = require('./helper.js')
const { collect, copySources, requireFailure } = require('./import/read.js')
const { useServer } = require('./import/servers.js')

const many = Array.from({ length: 2500 }, (_, i) => `item ${i}`)
// The client of Dashboard's own engine, and one that does not read the number of a database from a URL.
const engineClient = path.join(__dirname, 'contract', 'application', 'node_modules', 'redis')
const otherClient = path.join(__dirname, '..', 'node_modules', 'redis-5.8')

describe('import from Redis', function () {
  this.timeout(60000)
  const server = useServer('redis')
  const { open } = require('../lib/import/redis.js')

  afterEach(() => server.query('FLUSHALL'))

  it('says what is neither a record nor a list', async () => {
    await server.query('LPUSH', 'list/a-list', 'an item', Buffer.from([0xff]))
    await server.query('HSET', 'list/map/a-list', 'an item', '1')
    await server.query('LPUSH', 'list/map/a-path', 'its item')
    await server.query('LPUSH', 'another-list', 'x')
    await server.query('HSET', 'another-hash', 'x', '1')
    await server.query('ZADD', 'ranks', '1', 'x')
    await server.query('SET', Buffer.from([0xfe]), 'x')
    await server.query('SET', 'list/text', 'a record')
    const source = await open(server.readerUrl)
    const { records, lists, skipped } = await collect(source)
    await source.close()
    assert.deepStrictEqual(records, { 'list/text': Buffer.from('a record') })
    assert.deepStrictEqual(lists, { 'a-list': ['an item'], 'map/a-path': ['its item'] })
    const reason = (type) => `a Redis ${type}, which Dashboard does not keep under such a key`
    assert.deepStrictEqual(skipped, [
      { skipped: 'another-hash', reason: reason('hash') },
      { skipped: 'another-list', reason: reason('list') },
      { skipped: 'list/a-list/\ufffd', reason: 'an item that is not UTF-8' },
      { skipped: 'ranks', reason: reason('zset') },
      { skipped: '\ufffd', reason: 'a key that is not UTF-8' }
    ])
  })
  it('reads the database that the URL names', async () => {
    await server.query('SELECT', '3')
    await server.query('LPUSH', 'list/three', '3')
    await server.query('SELECT', '0')
    const source = await open(`${server.readerUrl}/3`)
    assert.deepStrictEqual((await collect(source)).lists, { three: ['3'] })
    await source.close()
  })
  it('source-changed for a list or a record that is removed while it is read', async () => {
    await server.query('LPUSH', 'list/many', ...many)
    await changes(() => server.query('LTRIM', 'list/many', '0', '400'))
    await server.query('DEL', 'list/many')
    await server.query('LPUSH', 'list/one', '1')
    for (let i = 0; i < 3; i++) {
      await server.query('SET', `large-${i}`, 'x'.repeat(10 * 1024 * 1024))
    }
    await changes(() => server.query('DEL', 'large-0', 'large-1', 'large-2'))
  })

  async function changes (change) {
    const source = await open(server.readerUrl)
    const reading = (async () => {
      for await (const entry of source.entries()) {
        if (entry.list !== 'one') {
          await change()
        }
      }
    })()
    requireFailure(await rejection(reading), 'source-changed', server)
    await source.close()
  }

  describe('the database', () => {
    beforeEach(async () => {
      for (const database of [0, 3]) {
        await server.query('SELECT', String(database))
        await server.query('LPUSH', `list/of-${database}`, String(database))
      }
      await server.query('SELECT', '0')
    })

    it('is the one that the client of Dashboard\'s engine uses', async function () {
      if (!fs.existsSync(engineClient)) {
        return this.skip()
      }
      for (const end of ['', '/3', '?db=3', '/3?db=3']) {
        const engine = require(engineClient).createClient(server.url + end)
        await new Promise((resolve, reject) => engine.lpush('list/written', end || 'none', (error) => error ? reject(error) : resolve()))
        engine.end(true)
        const { lists } = await read(server.readerUrl + end)
        assert.deepStrictEqual(lists[end ? 'of-3' : 'of-0'], [end ? '3' : '0'], end)
        assert(lists.written.includes(end || 'none'), end)
      }
    })
    it('is the same with a client that does not read it from the URL', async function () {
      if (!fs.existsSync(otherClient)) {
        return this.skip()
      }
      const folder = makeFolder()
      const sources = copySources(folder)
      fs.mkdirSync(path.join(folder, 'node_modules'))
      fs.symlinkSync(otherClient, path.join(folder, 'node_modules', 'redis'))
      for (const end of ['/3', '?db=3']) {
        const source = await require(path.join(sources, 'redis.js')).open(server.readerUrl + end)
        assert.deepStrictEqual((await collect(source)).lists, { 'of-3': ['3'] }, end)
        await source.close()
      }
      fs.rmSync(folder, { recursive: true })
    })
    it('must be named once, by a number', async () => {
      for (const end of ['/1?db=3', '?db=three', '/three', '?db=-1']) {
        requireFailure(await rejection(open(server.readerUrl + end)), 'source-invalid', server)
      }
    })
  })

  it('leaves out what expires, also while it is read, and counts it', async () => {
    await server.query('LPUSH', 'list/many', ...many)
    await server.query('EVAL', "for i = 1, 3000 do redis.call('SET', 'other/' .. i, 'x', 'PX', 300 + i) end", '0')
    await server.query('SET', 'a-record', 'its contents')
    const folder = makeFolder()
    const { code, stdout } = await runTool(['import', '--from', 'redis', server.readerUrl, '--store', path.join(folder, 'store'), '--verify', '--json'])
    const { records, items, skipped } = JSON.parse(stdout)
    assert.deepStrictEqual([code, records, items], [0, 1, many.length])
    assert(skipped <= 3000)
    await server.query('SET', 'other/long', 'x', 'EX', '1000')
    const found = await read(server.readerUrl)
    assert.deepStrictEqual(found.skipped.filter(({ skipped }) => skipped === 'other/long'), [{ skipped: 'other/long', reason: 'a key that expires, unlike those of Dashboard' }])
    fs.rmSync(folder, { recursive: true })
  })

  describe('what is too large', () => {
    const limit = 64 * 1024 * 1024
    beforeEach(async () => {
      await server.query('LPUSH', 'list/a-list', 'an item', 'i'.repeat(70000), 'another')
      await server.query('EVAL', `redis.call('SET', 'too-large', string.rep('x', ${limit + 1})); redis.call('SET', 'fits', string.rep('x', ${limit}))`, '0')
      await server.query('SET', 'k'.repeat(70000), 'x')
    })

    it('is named before anything is written', async () => {
      const folder = makeFolder()
      const store = path.join(folder, 'store')
      const { code, stderr } = await runTool(['import', '--from', 'redis', server.readerUrl, '--store', store])
      assert.strictEqual(code, 1)
      assert(/^source-too-large: (too-large: its contents have 67108865 bytes, over 64 MiB|k{100}…: its name has 70000 bytes, over 64 KiB|list\/a-list: an item of it has 70000 bytes, over 64 KiB), which is more than a store accepts\. The source has 3 entries that are too large\. Leave out such entries with --skip-too-large\n$/m.test(stderr), stderr.substring(0, 500))
      assert.strictEqual(fs.existsSync(store), false)
      fs.rmSync(folder, { recursive: true })
    })
    it('is left out, counted and named with --skip-too-large', async () => {
      const folder = makeFolder()
      const { code, stdout } = await runTool(['import', '--from', 'redis', server.readerUrl, '--store', path.join(folder, 'store'), '--skip-too-large'])
      assert.strictEqual(code, 0)
      for (const line of ['1 record and 1 list with 2 items', 'left out: too-large (its contents have 67108865 bytes, over 64 MiB)', `left out: ${'k'.repeat(100)}… (its name has 70000 bytes, over 64 KiB)`, 'left out: list/a-list (an item of it has 70000 bytes, over 64 KiB)', '3 were left out']) {
        assert(stdout.includes(line), `${line}: ${stdout.substring(0, 500)}`)
      }
      fs.rmSync(folder, { recursive: true })
    })
  })

  describe('a user who may read some keys alone', () => {
    const password = 'a-password-of-some'
    const limited = async (...keys) => {
      await server.query('ACL', 'SETUSER', 'some', 'reset', 'on', `>${password}`, ...keys, '-@all', '+@read', '+@connection', '-dbsize')
      return server.readerUrl.replace(/\/[^/]*@/, `/some:${password}@`)
    }
    beforeEach(async () => {
      await server.query('SET', 'dashboard/account/account_1', 'an account')
      await server.query('LPUSH', 'list/dashboard/accounts', 'account_1')
      await server.query('SET', 'other', 'of another application')
    })

    it('gets those, and the others are named', async () => {
      const source = await open(await limited('~dashboard/*', '~list/*'))
      const { total } = await source.survey()
      const { records, lists, skipped } = await collect(source)
      await source.close()
      assert.deepStrictEqual([total, Object.keys(records), lists], [2, ['dashboard/account/account_1'], { 'dashboard/accounts': ['account_1'] }])
      assert.deepStrictEqual(skipped, [{ skipped: 'other', reason: 'a key that the user may not read' }])
    })
    it('gets nothing if the lists are among the others', async () => {
      const source = await open(await limited('~dashboard/*'))
      requireFailure(await rejection(collect(source)), 'source-refused', { password })
      await source.close()
    })
  })

  async function read (url) {
    const source = await open(url)
    const all = await collect(source)
    await source.close()
    return all
  }
})
