/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const Module = require('module')
const net = require('net')
const path = require('path')
const { freePort } = require('./contract/free-port.js')
const { makeFolder, rejection } = require('./helper.js')
const { tables } = require('./import/kinds.js')
const { collect, copySources, requireFailure } = require('./import/read.js')
const { useServer } = require('./import/servers.js')

const many = Array.from({ length: 2500 }, (_, i) => `item ${i}`)

describe('import from servers', function () {
  this.timeout(60000)

  for (const kind of ['redis', 'mysql', 'postgresql']) {
    describe(kind, () => {
      const server = useServer(kind)
      const { open } = require(`../lib/import/${kind}.js`)

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

      it('gives a long list in parts from the oldest item on, and names rows that lack something', async () => {
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
      it('source-refused for a wrong password', async () => {
        const url = server.readerUrl.replace(/:[^:@]*@/, ':another-password@')
        await fails(url, 'source-refused', 'another-password')
      })
      it('source-refused for a database that does not exist', async () => {
        await fails(replaceDatabase('99'), 'source-refused')
      })
      it('source-not-dashboard for a database without data of Dashboard', async () => {
        await fails(replaceDatabase(kind === 'redis' ? '5' : 'other'), 'source-not-dashboard')
      })
      it('source-unreachable for an address at which nothing answers', async () => {
        const url = new URL(server.readerUrl)
        url.port = await freePort()
        await fails(url.href, 'source-unreachable')
      })
      it('source-invalid for an invalid URL, and shows no password', async () => {
        const { protocol, host } = new URL(server.readerUrl)
        const wrong = ['', 'localhost:1', 'ftp://user:a-secret@localhost/x', `${protocol}//`, `${protocol}//user:a-secret%zz@${host}/x`, `${protocol}//user:12/a-secret@${host}/x`, `${protocol}//user:12#a-secret@${host}/x`, `${protocol}//user:12?a-secret@${host}/x`, `${protocol}//user:a-secret/12@${host}/x`, `${protocol}//user:a-secret@${host}/%zz`]
        for (const url of wrong) {
          const error = await rejection(open(url))
          requireFailure(error, 'source-invalid', { password: 'a-secret' })
          assert(!error.detail.includes('12'), error.detail)
        }
      })
      it('source-invalid for an unknown option, because it may select other data', async () => {
        for (const option of ['prefix=app', 'schema=other', 'DB=3']) {
          const error = await rejection(open(`${server.readerUrl}?${option}`))
          requireFailure(error, 'source-invalid', server)
          assert(error.detail.includes(`the option ${option.split('=')[0]} is not understood`), error.detail)
        }
      })
      it('source-invalid for an invalid value of an option', async () => {
        const option = { redis: '/one', mysql: '?ssl=none', postgresql: '?sslrootcert=/nothing' }[kind]
        await fails(server.readerUrl + option, 'source-invalid')
      })
      it('without its client library, or with the one of Dashboard\'s own engine, which is too old', async () => {
        const folder = makeFolder()
        const transfer = copySources(folder)
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
      it('finds its client library where Node does, though no folder node_modules has it, as with Yarn', async () => {
        const folder = makeFolder()
        const sources = copySources(folder)
        const client = { redis: 'redis', mysql: 'mysql2', postgresql: 'pg' }[kind]
        const file = require.resolve(client)
        const { _resolveFilename: resolve } = Module
        Module._resolveFilename = function (name, ...others) {
          return name === client ? file : resolve.call(this, name, ...others)
        }
        try {
          const source = await require(path.join(sources, `${kind}.js`)).open(server.readerUrl)
          assert.deepStrictEqual((await collect(source)).lists, { many })
          await source.close()
        } finally {
          Module._resolveFilename = resolve
          fs.rmSync(folder, { recursive: true })
        }
      })
      it('source-refused for a user without permission to read', async () => {
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

  it('source-unreachable for an address at which another server answers, or stays silent', async () => {
    const sockets = []
    const silent = await listen((socket) => sockets.push(socket))
    const web = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await Promise.all(['redis', 'mysql', 'postgresql'].flatMap((kind) => [silent, web].map(async ({ port }) => {
      const { open } = require(`../lib/import/${kind}.js`)
      const address = `127.0.0.1:${port}/1`
      const error = await rejection(open(`${kind}://user:a-secret@${address}`))
      requireFailure(error, 'source-unreachable', { password: 'a-secret', title: address })
    })))
    sockets.forEach((socket) => socket.destroy())
    silent.close()
    web.close()
  })

  async function listen (answer) {
    const server = net.createServer((socket) => {
      socket.on('error', () => {})
      answer(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: server.address().port, close: () => server.close() }
  }
})
