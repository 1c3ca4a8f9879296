/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const net = require('net')
const path = require('path')
const { freePort } = require('./contract/free-port.js')
const { makeFolder, rejection } = require('./helper.js')
const { collect, requireFailure } = require('./transfer/read.js')
const { useServer } = require('./transfer/servers.js')

const tables = {
  mysql: `CREATE TABLE objects (path VARCHAR(255) PRIMARY KEY, contents LONGBLOB);
    CREATE TABLE lists (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, path VARCHAR(255), objectid VARCHAR(255), INDEX(path));`,
  postgresql: `CREATE TABLE objects (path VARCHAR(255) UNIQUE, contents BYTEA, created TIMESTAMP);
    CREATE TABLE lists (listid BIGSERIAL PRIMARY KEY, path VARCHAR(255), objectid VARCHAR(255), created TIMESTAMP);`
}
const many = Array.from({ length: 2500 }, (_, i) => `item ${i}`)

describe('source servers', function () {
  this.timeout(60000)

  for (const kind of ['redis', 'mysql', 'postgresql']) {
    describe(kind, () => {
      const server = useServer(kind)
      const { open } = require(`../src/transfer/${kind}.js`)

      before(async () => {
        if (kind === 'redis') {
          await server.query('SET', 'a-record', 'its contents')
          await server.query('SET', 'nothing', '')
          await server.query('LPUSH', 'list/many', ...many)
        } else {
          await server.query(tables[kind])
          await server.query("INSERT INTO objects(path, contents) VALUES ('a-record', 'its contents'), ('nothing', ''), ('none', NULL)")
          await server.query(`INSERT INTO lists(path, objectid) VALUES ${many.map((item) => `('many', '${item}')`)}, ('none', NULL), (NULL, 'none')`)
        }
      })

      it('gives a long list in parts, from the oldest item on, and what has no contents', async () => {
        const { records, lists, skipped } = await read()
        assert.deepStrictEqual(records, { 'a-record': Buffer.from('its contents'), nothing: Buffer.alloc(0) })
        assert.deepStrictEqual(lists, { many })
        assert.deepStrictEqual(skipped, kind === 'redis'
          ? []
          : [
              { skipped: 'lists', reason: 'a row without a path or an item' },
              { skipped: 'lists none', reason: 'a row without a path or an item' },
              { skipped: 'none', reason: 'a row without contents' }
            ])
      })
      it('a wrong password', async () => {
        const url = server.readerUrl.replace(/:[^:@]*@/, ':another-password@')
        await fails(url, 'source-refused', 'another-password')
      })
      it('a database that is not there', async () => {
        await fails(replaceDatabase('99'), 'source-refused')
      })
      it('a database without a dashboard', async () => {
        await fails(replaceDatabase(kind === 'redis' ? '5' : 'other'), 'source-not-dashboard')
      })
      it('an address where nothing answers', async () => {
        const url = new URL(server.readerUrl)
        url.port = await freePort()
        await fails(url.href, 'source-unreachable')
      })
      it('a url that is none', async () => {
        const { protocol, host } = new URL(server.readerUrl)
        const wrong = ['', 'localhost:1', 'ftp://user:a-secret@localhost/x', `${protocol}//`, `${protocol}//user:a-secret%zz@${host}/x`, `${protocol}//user:12/a-secret@${host}/x`, `${protocol}//user:12#a-secret@${host}/x`, `${protocol}//user:12?a-secret@${host}/x`, `${protocol}//user:a-secret/12@${host}/x`, `${protocol}//user:a-secret@${host}/%zz`]
        for (const url of wrong) {
          const error = await rejection(open(url))
          requireFailure(error, 'source-invalid', { password: 'a-secret' })
          assert(!error.detail.includes('12'), error.detail)
        }
      })
      it('an option that is wrong', async () => {
        const option = { redis: '/one', mysql: '?ssl=none', postgresql: '?sslrootcert=/nothing' }[kind]
        await fails(server.readerUrl + option, 'source-invalid')
      })
      it('without its client library, or with the one of Dashboard\'s own engine, which is too old', async () => {
        const folder = makeFolder()
        const transfer = copyTransfer(folder)
        const client = { redis: 'redis', mysql: 'mysql2', postgresql: 'pg' }[kind]
        await fail('it is not installed')
        const old = path.join(__dirname, 'contract', 'application', 'node_modules', client)
        // The engine for PostgreSQL is not on npm.
        if (fs.existsSync(old)) {
          fs.mkdirSync(path.join(folder, 'node_modules'))
          fs.symlinkSync(old, path.join(folder, 'node_modules', client))
          await fail('of it is too old')
        }
        fs.rmSync(folder, { recursive: true })

        async function fail (reason) {
          const error = await rejection(require(path.join(transfer, `${kind}.js`)).open(server.readerUrl))
          requireFailure(error, 'source-client-missing', server)
          assert(error.detail.includes(reason), error.detail)
          assert(error.detail.includes(`npm install ${client}@`), error.detail)
        }
      })
      it('by one who may read nothing', async () => {
        if (kind === 'redis') {
          await server.query('ACL', 'SETUSER', 'nobody', 'on', '>nobodys-password', '-@all', '+@connection')
        } else {
          await server.query(`CREATE USER nobody ${kind === 'mysql' ? 'IDENTIFIED BY' : 'PASSWORD'} 'nobodys-password'`)
        }
        const url = server.readerUrl.replace(/\/[^/]*@/, '/nobody:nobodys-password@')
        await fails(url, 'source-refused', 'nobodys-password')
      })

      async function read () {
        const source = await open(server.readerUrl)
        const all = await collect(source)
        await source.close()
        return all
      }

      async function fails (url, slug, password = server.password) {
        const { host } = new URL(url)
        requireFailure(await rejection(open(url)), slug, { password, title: host })
      }

      function replaceDatabase (name) {
        const url = new URL(server.readerUrl)
        url.pathname = `/${name}`
        return url.href
      }
    })
  }

  it('an address where something else answers, or nothing is said', async () => {
    const sockets = []
    const silent = await listen((socket) => sockets.push(socket))
    const web = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await Promise.all(['redis', 'mysql', 'postgresql'].flatMap((kind) => [silent, web].map(async ({ port }) => {
      const { open } = require(`../src/transfer/${kind}.js`)
      const address = `127.0.0.1:${port}/1`
      const error = await rejection(open(`${kind}://user:a-secret@${address}`))
      requireFailure(error, 'source-unreachable', { password: 'a-secret', title: address })
    })))
    sockets.forEach((socket) => socket.destroy())
    silent.close()
    web.close()
  })

  describe('redis alone', () => {
    const server = useServer('redis')
    const { open } = require('../src/transfer/redis.js')

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
    it('of the database that the url names', async () => {
      await server.query('SELECT', '3')
      await server.query('LPUSH', 'list/three', '3')
      await server.query('SELECT', '0')
      const source = await open(`${server.readerUrl}/3`)
      assert.deepStrictEqual((await collect(source)).lists, { three: ['3'] })
      await source.close()
    })
    it('what is removed meanwhile', async () => {
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
  })

  describe('tables alone', () => {
    for (const kind of ['mysql', 'postgresql']) {
      const server = useServer(kind)
      const { open } = require(`../src/transfer/${kind}.js`)

      it(`paths that differ in case are two lists, and one moment is read, ${kind}`, async () => {
        await server.query(tables[kind])
        await server.query("INSERT INTO objects(path, contents) VALUES ('before', 'x')")
        await server.query("INSERT INTO lists(path, objectid) VALUES ('a', '1'), ('A', '2'), ('a', '3'), ('A', '4'), ('ä', '5')")
        const source = await open(server.readerUrl)
        await server.query("INSERT INTO objects(path, contents) VALUES ('after', 'x')")
        await server.query("INSERT INTO lists(path, objectid) VALUES ('a', '6')")
        const { records, lists } = await collect(source)
        await source.close()
        assert.deepStrictEqual(records, { before: Buffer.from('x') })
        assert.deepStrictEqual(lists, { a: ['1', '3'], A: ['2', '4'], ä: ['5'] })
      })
    }
  })

  // The sources without any package beside them.
  function copyTransfer (folder) {
    fs.cpSync(path.join(__dirname, '..', 'src', 'transfer'), path.join(folder, 'src', 'transfer'), { recursive: true })
    fs.mkdirSync(path.join(folder, 'src', 'facade'))
    fs.copyFileSync(path.join(__dirname, '..', 'src', 'facade', 'arguments.js'), path.join(folder, 'src', 'facade', 'arguments.js'))
    return path.join(folder, 'src', 'transfer')
  }

  async function listen (answer) {
    const server = net.createServer((socket) => {
      socket.on('error', () => {})
      answer(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: server.address().port, close: () => server.close() }
  }
})
