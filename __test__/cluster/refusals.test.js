/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const net = require('net')
const path = require('path')
const { once } = require('events')
const { spawnSync } = require('child_process')
const addon = require('../../index.js')
const { rejection } = require('../helper.js')
const { Cluster } = require('./servers.js')
const { until } = require('../helpers/times.js')

describe('a database that cannot hold a store', () => {
  const cluster = new Cluster({ standbys: 1 })
  before(() => cluster.start())
  after(() => cluster.stop())

  const refused = async (options, slug, ...words) => {
    const error = await rejection(addon.open(typeof options === 'string' ? { url: options } : options))
    assert.strictEqual(error.message, slug, error.detail)
    for (const word of words) {
      assert(error.detail.includes(word), error.detail)
    }
    assert(!error.detail.includes('a-secret'), error.detail)
    return error
  }
  const tables = (database) => cluster.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", { database })

  describe('exceptions', () => {
    describe('invalid-database-url', () => {
      for (const [title, url, word] of [
        ['no host', 'postgres://u:a-secret@/d', 'no host'],
        ['an unknown parameter', 'postgres://u:a-secret@localhost/d?sslmod=disable', 'the parameter sslmod is not known'],
        ['another scheme', 'mysql://u:a-secret@localhost/d', 'postgres://'],
        ['a mode that may not encrypt', 'postgres://u:a-secret@localhost/d?sslmode=prefer', 'sslmode=prefer']
      ]) {
        it(title, () => refused(url, 'invalid-database-url', word))
      }
    })
    describe('invalid-setting', () => {
      it('a folder and a database', () => refused({ url: cluster.url(), path: 'x' }, 'invalid-setting', 'path and url'))
      it('another durability', () => refused({ url: cluster.url(), durability: 'none' }, 'invalid-setting', 'external'))
    })
    describe('invalid-sled-database-url', () => {
      it('both settings, and a module without its own', async () => {
        Object.assign(process.env, { SLED_DATABASE_URL: cluster.url(), SLED_PATH: '/nowhere' })
        try {
          const both = await rejection(addon.Storage.setup())
          assert.strictEqual(both.message, 'invalid-sled-database-url')
          delete process.env.SLED_PATH
          const module = await rejection(addon.Storage.setup('ORGANIZATIONS'))
          assert(module.stack.includes('ORGANIZATIONS_SLED_DATABASE_URL'), module.stack)
        } finally {
          delete process.env.SLED_DATABASE_URL
          delete process.env.SLED_PATH
        }
      })
    })
    describe('store-unavailable', () => {
      it('no server, within its time', async () => {
        const begun = Date.now()
        await refused('postgres://u:a-secret@127.0.0.1:9/d', 'store-unavailable', 'postgres://u@127.0.0.1:9/d')
        assert(Date.now() - begun < 15000)
      }).timeout(20000)
    })
    describe('store-unsuitable-database', () => {
      it('a server that is not PostgreSQL', async () => {
        const server = net.createServer((socket) => {
          socket.on('error', () => {})
          socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
        }).listen(0, '127.0.0.1')
        await once(server, 'listening')
        await refused(`postgres://u:a-secret@127.0.0.1:${server.address().port}/d`, 'store-unsuitable-database', 'not PostgreSQL')
        server.close()
      }).timeout(20000)
      it('a read-only replica, where nothing is created', async () => {
        await refused(cluster.url({ servers: [cluster.servers[1]] }), 'store-unsuitable-database', 'read-only replica', 'primary')
        assert.deepStrictEqual(await tables('dashboard'), [])
      }).timeout(20000)
      it('a database or a user that is not there', async () => {
        await refused(cluster.url({ database: 'nowhere' }), 'store-unsuitable-database', 'nowhere')
        await refused(cluster.url({ user: 'nobody' }), 'store-unsuitable-database', 'nobody')
      })
      it('a user without rights, where nothing is created', async () => {
        await cluster.database('rights')
        await cluster.query('CREATE USER weak')
        await refused(cluster.url({ database: 'rights', user: 'weak' }), 'store-unsuitable-database', 'weak may not create tables', 'GRANT')
        assert.deepStrictEqual(await tables('rights'), [])
        await (await addon.open({ url: cluster.url({ database: 'rights' }) })).close()
        await refused(cluster.url({ database: 'rights', user: 'weak' }), 'store-unsuitable-database', 'SELECT, INSERT, UPDATE and DELETE on the table')
      })
      it('tables of another shape, to which nothing is added', async () => {
        for (const [sql, word] of [
          ['CREATE TABLE objects (path TEXT PRIMARY KEY, contents TEXT)', 'objects.contents is of the type text'],
          ['CREATE TABLE lists (listid BIGSERIAL, path VARCHAR(100), objectid VARCHAR(255))', 'lists.path takes only 100 characters'],
          ['CREATE TABLE objects (id INT)', 'objects has no column path']
        ]) {
          await cluster.database('shape')
          await cluster.query(sql, { database: 'shape' })
          await refused(cluster.url({ database: 'shape' }), 'store-unsuitable-database', word)
          assert.strictEqual((await tables('shape')).length, 1)
        }
      })
      it('another encoding', async () => {
        await cluster.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", { database: 'postgres' })
        await refused(cluster.url({ database: 'latin' }), 'store-unsuitable-database', 'LATIN1')
      })
      it('tables of a later version', async () => {
        const url = await cluster.database('later')
        await (await addon.open({ url })).close()
        await cluster.query("UPDATE ds_meta SET value = '9' WHERE name = 'version'", { database: 'later' })
        await refused(url, 'store-unsuitable-database', 'version 9')
      })
      it('a server whose commits wait for no other, unless the provider takes care', async () => {
        await setSynchronous('')
        const url = await cluster.database('asynchronous')
        await refused(url, 'store-unsuitable-database', 'synchronous_standby_names is empty', 'SLED_DURABILITY=external')
        assert.deepStrictEqual(await tables('asynchronous'), [])
        const store = await addon.open({ url, durability: 'external' })
        await store.storage.write('a', 'b')
        await store.close()
        await setSynchronous('ANY 1 (*)')
      })
    })
    describe('store-not-offered', () => {
      it('what the embedded engine alone has', async () => {
        const store = await addon.open({ url: await cluster.database('offered') })
        for (const call of [() => store.backup('/nowhere'), () => store.compact(), () => store.repair(), () => store.removeReplaced()]) {
          const error = await rejection((async () => call())())
          assert.deepStrictEqual([error.message, error.code], ['store-not-offered', 'ERR_STORE_NOT_OFFERED'])
          assert(error.detail.includes('pg_dump'), error.detail)
        }
        await store.close()
      })
    })
  })

  describe('certificates', () => {
    const port = () => cluster.servers[0].port
    before(async () => {
      const openssl = (...args) => {
        const { status, stderr } = spawnSync('openssl', args, { cwd: cluster.folder, encoding: 'utf8' })
        assert.strictEqual(status, 0, stderr)
      }
      fs.writeFileSync(path.join(cluster.folder, 'names'), 'subjectAltName=DNS:localhost\n')
      for (const authority of ['authority', 'other']) {
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${authority}.key`, '-out', `${authority}.pem`, '-subj', `/CN=${authority}`, '-days', '2')
      }
      openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
      openssl('x509', '-req', '-in', 'server.csr', '-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-out', 'server.pem', '-days', '2', '-extfile', 'names')
      fs.chmodSync(path.join(cluster.folder, 'server.key'), 0o600)
      if (cluster.owner.uid) {
        fs.chownSync(path.join(cluster.folder, 'server.key'), cluster.owner.uid, cluster.owner.gid)
      }
      for (const [name, value] of [['ssl_cert_file', 'server.pem'], ['ssl_key_file', 'server.key']]) {
        await cluster.query(`ALTER SYSTEM SET ${name} = '${path.join(cluster.folder, value)}'`, { database: 'postgres' })
      }
      await cluster.query('ALTER SYSTEM SET ssl = on', { database: 'postgres' })
      await cluster.query('SELECT pg_reload_conf()', { database: 'postgres' })
      await isSet('ssl', 'on')
    })
    const url = (host, query) => `postgres://postgres@${host}:${port()}/dashboard?${query}`
    const root = (name) => `sslrootcert=${path.join(cluster.folder, `${name}.pem`)}`

    it('of the authority and for the name are accepted, and the connection is encrypted', async () => {
      for (const [host, mode] of [['localhost', 'verify-full'], ['localhost', 'require'], ['localhost', 'verify-ca'], ['127.0.0.1', 'verify-ca']]) {
        const store = await addon.open({ url: url(host, `sslmode=${mode}&${root('authority')}`) })
        const rows = await cluster.query("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'dashboard-sled'")
        assert(rows.length > 0 || mode)
        await store.storage.write('a', 'b')
        const after = await cluster.query("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'dashboard-sled'")
        assert(after.length > 0 && after.every(({ ssl }) => ssl), JSON.stringify(after))
        await store.close()
      }
    }).timeout(20000)
    it('of another authority, for another name or of the system are refused', async () => {
      for (const [host, query] of [
        ['localhost', `sslmode=verify-full&${root('other')}`],
        ['localhost', `sslmode=verify-ca&${root('other')}`],
        ['127.0.0.1', `sslmode=verify-full&${root('authority')}`],
        ['localhost', 'sslmode=require'],
        ['localhost', `sslmode=verify-full&${root('nowhere')}`]
      ]) {
        await refused(url(host, query), 'store-unsuitable-database', 'no trusted connection', 'sslrootcert')
      }
    }).timeout(20000)
  })

  async function setSynchronous (value) {
    await cluster.query(`ALTER SYSTEM SET synchronous_standby_names = '${value}'`, { database: 'postgres' })
    await cluster.query('SELECT pg_reload_conf()', { database: 'postgres' })
    await isSet('synchronous_standby_names', value)
  }

  function isSet (name, value) {
    return until(async () => (await cluster.query('SELECT current_setting($1) AS value', { database: 'postgres', values: [name] }))[0].value === value, { seconds: 60 })
  }
})
