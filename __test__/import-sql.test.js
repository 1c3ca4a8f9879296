/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const mysql = require('mysql2/promise')
const path = require('path')
const { Client } = require('pg')
const { makeFolder, rejection, runTool } = require('./helper.js')
const { tables } = require('./import/kinds.js')
const { collect, requireFailure } = require('./import/read.js')
const { useServer } = require('./import/servers.js')

const over = 64 * 1024 * 1024 + 1
const drop = 'DROP TABLE IF EXISTS objects, lists'

describe('import from SQL tables', function () {
  this.timeout(60000)

  for (const kind of ['mysql', 'postgresql']) {
    describe(kind, () => {
      const server = useServer(kind)
      const { open } = require(`../lib/import/${kind}.js`)

      beforeEach(async () => {
        await server.query(drop)
        await server.query(tables[kind])
      })

      it('paths that differ in case are two lists, and one moment is read', async () => {
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
      it('keys are the same whatever character set the url names', async () => {
        await useUnicode()
        await server.query("INSERT INTO objects(path, contents) VALUES ('t/😀', 'one'), ('t/😃', 'two')")
        await server.query("INSERT INTO lists(path, objectid) VALUES ('l/😀', 'ä'), ('l/😃', '😀')")
        const options = kind === 'mysql' ? ['charset=utf8', 'charset=latin1', 'charset=UTF8_GENERAL_CI'] : ['client_encoding=LATIN1', 'client_encoding=SQL_ASCII']
        for (const option of options) {
          const { records, lists } = await read(`${server.readerUrl}?${option}`)
          assert.deepStrictEqual(records, { 't/😀': Buffer.from('one'), 't/😃': Buffer.from('two') }, option)
          assert.deepStrictEqual(lists, { 'l/😀': ['ä'], 'l/😃': ['😀'] }, option)
        }
      })
      it('columns of other types come over as they are stored', async () => {
        const text = '{"b": 1, "a": [1.50, "ä"]}'
        await server.query(drop)
        await server.query(kind === 'mysql'
          ? `CREATE TABLE objects (path VARBINARY(255) PRIMARY KEY, contents JSON) DEFAULT CHARSET utf8mb4;
             CREATE TABLE lists (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, path VARBINARY(255), objectid BIGINT)`
          : `CREATE TABLE objects (path TEXT PRIMARY KEY, contents JSON);
             CREATE TABLE lists (listid BIGSERIAL PRIMARY KEY, path BYTEA, objectid BIGINT)`)
        await server.query(`INSERT INTO objects(path, contents) VALUES ('a-record', '${text}')`)
        await server.query("INSERT INTO lists(path, objectid) VALUES ('a-list', 7), ('a-list', 8)")
        const { records, lists } = await read(server.readerUrl)
        assert.deepStrictEqual(records, { 'a-record': Buffer.from(text) })
        assert.deepStrictEqual(lists, { 'a-list': ['7', '8'] })
      })
      it('bytes that are not UTF-8 are an error that says where', async () => {
        await server.query(drop)
        const bytes = kind === 'mysql' ? 'VARBINARY(255)' : 'BYTEA'
        const id = kind === 'mysql' ? 'id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY' : 'listid BIGSERIAL PRIMARY KEY'
        await server.query(`CREATE TABLE objects (path ${bytes}, contents ${kind === 'mysql' ? 'LONGBLOB' : 'BYTEA'}); CREATE TABLE lists (${id}, path VARCHAR(255), objectid ${bytes})`)
        const latin = kind === 'mysql' ? "X'6be9'" : "'\\x6be9'"
        await server.query(`INSERT INTO lists(path, objectid) VALUES ('a-list', 'an item'), ('a-list', ${latin})`)
        await failsAt('the table lists, the row 2, the column objectid: it is not UTF-8 (its bytes are 6be9 in hexadecimal)')
        await server.query(`INSERT INTO objects(path, contents) VALUES (${latin}, 'x')`)
        await failsAt('the table objects, the row k\ufffd, the column path: it is not UTF-8 (its bytes are 6be9 in hexadecimal)')
      })
      it('what is too large is named before anything is written, and left out if that is asked for', async () => {
        await insertLarge()
        await server.query("INSERT INTO objects(path, contents) VALUES ('fits', 'x')")
        const folder = makeFolder()
        const args = ['import', '--from', kind, server.readerUrl, '--store', path.join(folder, 'store')]
        const refused = await runTool(args)
        assert.deepStrictEqual([refused.code, fs.existsSync(path.join(folder, 'store'))], [1, false])
        assert(refused.stderr.includes(`source-too-large: too-large: its contents have ${over} bytes, over 64 MiB`), refused.stderr)
        const { code, stdout } = await runTool([...args, '--skip-too-large', '--verify'])
        assert.strictEqual(code, 0, stdout)
        for (const line of ['1 record and 0 lists', `left out: too-large (its contents have ${over} bytes, over 64 MiB)`, '1 was left out', 'every record and every list is as in the source']) {
          assert(stdout.includes(line), stdout)
        }
        fs.rmSync(folder, { recursive: true })
      })
      if (kind === 'postgresql') {
        describe('in SQL_ASCII', () => {
          let client
          beforeEach(async () => {
            await server.query("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
            client = new Client({ connectionString: urlOf(server.url) })
            await client.connect()
            await client.query(tables[kind])
            await client.query("INSERT INTO objects(path, contents) VALUES ('t/ä', 'x')")
          })
          afterEach(async () => {
            await client.end()
            await server.query('DROP DATABASE ascii')
          })

          it('what is UTF-8 comes over', async () => {
            await client.query("INSERT INTO lists(path, objectid) VALUES ('ä', 'ö')")
            const { records, lists } = await read(urlOf(server.readerUrl))
            assert.deepStrictEqual([records, lists], [{ 't/ä': Buffer.from('x') }, { ä: ['ö'] }])
          })
          it('what is not UTF-8 is an error that says where', async () => {
            await client.query("INSERT INTO lists(path, objectid) VALUES ('a-list', convert_from('\\x6be9', 'SQL_ASCII'))")
            await failsAt('the table lists, the row 1, the column objectid', urlOf(server.readerUrl))
          })

          function urlOf (url) {
            return url.replace(/\/dashboard$/, '/ascii')
          }
        })
      }

      async function useUnicode () {
        if (kind === 'mysql') {
          await server.query('ALTER TABLE objects CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; ALTER TABLE lists CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin')
        }
      }

      async function insertLarge () {
        if (kind === 'postgresql') {
          return server.query(`INSERT INTO objects(path, contents) VALUES ('too-large', convert_to(repeat('x', ${over}), 'UTF8'))`)
        }
        await server.query('SET GLOBAL max_allowed_packet = 1073741824')
        const writer = await mysql.createConnection(server.url)
        await writer.query(`INSERT INTO objects(path, contents) VALUES ('too-large', REPEAT('x', ${over}))`)
        await writer.end()
      }

      async function failsAt (where, url = server.readerUrl) {
        const error = await rejection(read(url))
        requireFailure(error, 'source-unreadable', server)
        assert(error.detail.includes(where), error.detail)
      }

      async function read (url) {
        const source = await open(url)
        try {
          return await collect(source)
        } finally {
          await source.close()
        }
      }
    })
  }
})
