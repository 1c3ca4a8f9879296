/* eslint-env mocha */
// The servers of the other engines, as Debian has them: each started in a folder of its own on a free port, with a
// user that may do everything and one that may only read.
const assert = require('assert')
const { spawn, spawnSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { createClient } = require('redis')
const mysql = require('mysql2/promise')
const { Client } = require('pg')
const { freePort } = require('../contract/free-port.js')
const { makeFolder } = require('../helper.js')

// The reader's has characters that a URL has to escape, which the host's MySQL engine does not understand.
const passwords = { writer: 'writers-password', reader: 'p@ss/w#rd?%' }
const minute = 60 * 1000
const isRoot = process.getuid() === 0

const servers = {
  redis: { start: startRedis, programs: ['redis-server'], package: 'redis-server' },
  mysql: { start: startMariadb, programs: ['mariadbd', 'mariadb-install-db'], package: 'mariadb-server' },
  postgresql: { start: startPostgresql, programs: ['postgres', 'initdb'], package: 'postgresql' }
}

module.exports = { useServer }

// A running server for the describe block that calls this: { url, readerUrl, password, query, folder, kill }; with
// `isSecure` it also has a certificate that `authority` has signed, and takes the reader at `secureUrl`.
function useServer (kind, { isSecure = false } = {}) {
  const server = { password: passwords.reader, isSecure }
  const { start, programs, package: debian } = servers[kind]
  before(async function () {
    this.timeout(2 * minute)
    const missing = programs.filter((name) => !find(name))
    if (missing.length) {
      assert(!process.env.CI, `${missing.join(' and ')} is missing: apt-get install ${debian}`)
      console.warn(`SKIPPED: the import from ${kind}, since ${missing.join(' and ')} is missing: apt-get install ${debian}`)
      return this.skip()
    }
    server.folder = makeFolder()
    Object.assign(server, isSecure ? makeCertificates(server.folder) : {})
    await start(server, await freePort())
  })
  after(async () => {
    if (server.folder) {
      await server.close()
      await server.kill()
      fs.rmSync(server.folder, { recursive: true, maxRetries: 10 })
    }
  })
  return server
}

async function startRedis (server, port) {
  const acl = path.join(server.folder, 'users.acl')
  fs.writeFileSync(acl, [
    `user default on >${passwords.writer} ~* &* +@all`,
    `user reader on >${passwords.reader} ~* resetchannels -@all +@read +@connection`
  ].join('\n') + '\n')
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', server.folder, '--aclfile', acl, '--save', '', '--appendonly', 'no']
  const address = `127.0.0.1:${port}`
  server.url = `redis://:${passwords.writer}@${address}`
  server.readerUrl = `redis://reader:${encodeURIComponent(passwords.reader)}@${address}`
  if (server.isSecure) {
    const securePort = await freePort()
    args.push('--tls-port', securePort, '--tls-cert-file', server.certificate, '--tls-key-file', server.key, '--tls-ca-cert-file', server.authority, '--tls-auth-clients', 'no')
    server.secureUrl = server.readerUrl.replace('redis:', 'rediss:').replace(`:${port}`, `:${securePort}`)
  }
  run(server, find('redis-server'), args.map(String))
  await until(server, async () => {
    server.client = createClient({ url: server.url, socket: { reconnectStrategy: false } })
    server.client.on('error', () => {})
    await server.client.connect()
  })
  server.query = (...command) => server.client.sendCommand(command)
  server.close = async () => server.client.isOpen && server.client.destroy()
}

async function startMariadb (server, port) {
  const data = ownFolder(server, 'mysql')
  const user = isRoot ? ['--user=mysql'] : []
  const socket = path.join(data, 'socket')
  setUp(find('mariadb-install-db'), [...user, `--datadir=${data}/data`, '--auth-root-authentication-method=normal', '--skip-test-db'])
  const args = ['--no-defaults', ...user, `--datadir=${data}/data`, `--socket=${socket}`, `--pid-file=${data}/pid`, `--port=${port}`, '--bind-address=127.0.0.1', '--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=64M']
  run(server, find('mariadbd'), [...args, ...(server.isSecure ? [`--ssl-cert=${server.certificate}`, `--ssl-key=${server.key}`] : [])])
  const root = { socketPath: socket, user: 'root', multipleStatements: true }
  await until(server, async () => { server.client = await mysql.createConnection(root) })
  server.client.on('error', () => {})
  server.query = async (sql, values) => (await server.client.query(sql, values))[0]
  await server.query(`CREATE DATABASE dashboard; CREATE DATABASE other; USE dashboard;
    CREATE USER writer IDENTIFIED BY '${passwords.writer}'; GRANT ALL ON *.* TO writer;
    CREATE USER reader IDENTIFIED BY '${passwords.reader}'; GRANT SELECT ON *.* TO reader;`)
  Object.assign(server, urls('mysql', `127.0.0.1:${port}/dashboard`))
  if (server.isSecure) {
    await server.query('ALTER USER reader REQUIRE SSL')
    server.secureUrl = `${server.readerUrl}?ssl={"rejectUnauthorized":true}`
  }
  server.close = async () => server.client.destroy()
}

async function startPostgresql (server, port) {
  const data = ownFolder(server, 'postgres')
  const options = { cwd: data, ...(isRoot ? { uid: idOf('postgres', '-u'), gid: idOf('postgres', '-g') } : {}) }
  const access = ['--auth-local=trust', '--auth-host=scram-sha-256']
  setUp(find('initdb'), ['-D', `${data}/data`, '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', ...access], options)
  const settings = ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${data}`]
  if (server.isSecure) {
    settings.push('-c', 'ssl=on', '-c', `ssl_cert_file=${server.certificate}`, '-c', `ssl_key_file=${server.key}`)
    const access = path.join(data, 'data', 'pg_hba.conf')
    fs.writeFileSync(access, fs.readFileSync(access, 'utf8').replace(/^host /gm, 'hostssl '))
  }
  run(server, find('postgres'), ['-D', `${data}/data`, '-p', String(port), ...settings], options)
  await until(server, async () => {
    server.client = new Client({ host: data, port, user: 'postgres', database: 'postgres' })
    server.client.on('error', () => {})
    await server.client.connect()
  })
  const all = server.client
  await all.query('CREATE DATABASE dashboard')
  await all.query('CREATE DATABASE other')
  await all.end()
  server.client = new Client({ host: data, port, user: 'postgres', database: 'dashboard' })
  server.client.on('error', () => {})
  await server.client.connect()
  server.query = async (sql, values) => (await server.client.query(sql, values)).rows
  await server.query(`CREATE USER writer SUPERUSER PASSWORD '${passwords.writer}'; CREATE USER reader PASSWORD '${passwords.reader}'; GRANT pg_read_all_data TO reader;`)
  Object.assign(server, urls('postgresql', `127.0.0.1:${port}/dashboard`))
  server.secureUrl = `${server.readerUrl}?sslmode=verify-full`
  server.close = () => server.client.end()
}

function urls (protocol, address) {
  const [url, readerUrl] = ['writer', 'reader'].map((user) => `${protocol}://${user}:${encodeURIComponent(passwords[user])}@${address}`)
  return { url, readerUrl }
}

// An authority of our own, and a certificate for this machine.
function makeCertificates (folder) {
  const at = (name) => path.join(folder, name)
  const openssl = (...args) => setUp('openssl', args, { cwd: folder })
  fs.writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'authority.key', '-out', 'authority.pem', '-subj', '/CN=an authority', '-days', '2')
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial', '-out', 'server.pem', '-days', '2', '-extfile', 'names')
  return { authority: at('authority.pem'), certificate: at('server.pem'), key: at('server.key') }
}

// A folder that the server's own user has, since neither MariaDB nor PostgreSQL runs as root.
function ownFolder (server, user) {
  const folder = path.join(server.folder, 'data')
  fs.mkdirSync(folder)
  if (isRoot) {
    fs.chmodSync(server.folder, 0o755)
    setUp('chown', [user, folder, ...(server.isSecure ? [server.key] : [])])
  }
  return folder
}

function run (server, program, args, options = { cwd: server.folder }) {
  server.child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  server.said = ''
  for (const stream of [server.child.stdout, server.child.stderr]) {
    stream.on('data', (data) => { server.said += data })
  }
  const ended = once(server.child, 'close')
  // Ends it at once, as a machine that goes down; resolves when it has ended.
  server.kill = async () => {
    server.child.kill('SIGKILL')
    await ended
  }
}

async function until (server, connect) {
  for (const limit = Date.now() + minute; ;) {
    try {
      return await connect()
    } catch (error) {
      assert(server.child.exitCode === null && Date.now() < limit, `${error.message}\n${server.said}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function setUp (program, args, options) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { ...options, encoding: 'utf8', timeout: minute })
  assert.strictEqual(status, 0, `${program}: ${error || stdout + stderr}`)
  return stdout
}

function idOf (user, option) {
  return Number(setUp('id', [option, user]))
}

// Debian keeps servers where only root's PATH leads, PostgreSQL's by version.
function find (program) {
  const versions = fs.existsSync('/usr/lib/postgresql') ? fs.readdirSync('/usr/lib/postgresql') : []
  const folders = [...process.env.PATH.split(':'), '/usr/sbin', ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`)]
  return folders.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file))
}
