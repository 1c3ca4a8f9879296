/* eslint-env mocha */
// Servers whose certificate was signed by an authority of their own.
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeFolder, runTool } = require('./helper.js')
const { tables } = require('./import/kinds.js')
const { useServer } = require('./import/servers.js')

describe('import over TLS', function () {
  this.timeout(60000)

  for (const kind of ['redis', 'mysql', 'postgresql']) {
    describe(kind, () => {
      const server = useServer(kind, { isSecure: true })
      let folder
      before(async () => {
        if (kind === 'redis') {
          await server.query('SET', 'a-record', 'its contents')
          await server.query('LPUSH', 'list/a-list', 'an item')
        } else {
          await server.query(tables[kind])
          await server.query("INSERT INTO objects(path, contents) VALUES ('a-record', 'its contents')")
          await server.query("INSERT INTO lists(path, objectid) VALUES ('a-list', 'an item')")
        }
      })
      beforeEach(() => { folder = makeFolder() })
      afterEach(() => fs.rmSync(folder, { recursive: true }))

      it('comes over where the authority is named', async () => {
        const { code, stdout, stderr } = await bring(server.secureUrl, { NODE_EXTRA_CA_CERTS: server.authority })
        assert.strictEqual(code, 0, stderr)
        assert(stdout.startsWith('1 record and 1 list with 1 item'), stdout)
      })
      it('is refused where it is not', async () => {
        const { code, stderr } = await bring(server.secureUrl)
        assert.deepStrictEqual([code, /^source-unreachable: .*certificate.*NODE_EXTRA_CA_CERTS/m.test(stderr)], [1, true], stderr)
        assert.strictEqual(fs.existsSync(path.join(folder, 'store')), false)
      })
      if (kind !== 'redis') {
        it('is refused by the server without TLS', async () => {
          const { code, stderr } = await bring(server.readerUrl, { NODE_EXTRA_CA_CERTS: server.authority })
          assert.deepStrictEqual([code, /^source-refused: /m.test(stderr)], [1, true], stderr)
        })
      }
      if (kind === 'postgresql') {
        it('comes over where the url names the authority', async () => {
          const { code, stderr } = await bring(`${server.secureUrl}&sslrootcert=${server.authority}`)
          assert.strictEqual(code, 0, stderr)
        })
      }

      function bring (url, env = {}) {
        return runTool(['import', '--from', kind, url, '--store', path.join(folder, 'store')], { env })
      }
    })
  }
})
