// A cluster of PostgreSQL servers on loopback, as Debian has them: a primary, and standbys of which one has to confirm each
// commit. initdb refuses to run as root, so root runs the servers as Debian's user postgres.
const { execFile, spawn, spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { promisify } = require('util')
const { Client } = require('pg')
const { findPrograms, readAccount } = require('../../examples/cluster/programs.js')
const { freePort } = require('../contract/free-port.js')
const { until } = require('../helpers/times.js')

const isRoot = process.getuid() === 0
const programs = findPrograms()

class Cluster {
  // `standbys` is their number; without `isSynchronous` no commit waits for them. `settings` are lines for postgresql.conf, and
  // `primaryData` is an empty folder for the primary.
  constructor ({ standbys = 2, isSynchronous = true, settings = [], primaryData } = {}) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-cluster-'))
    this.owner = readAccount()
    if (isRoot) {
      fs.chownSync(this.folder, this.owner.uid, this.owner.gid)
    }
    this.servers = []
    this.standbys = standbys
    this.isSynchronous = isSynchronous
    this.settings = settings
    this.primaryData = primaryData
  }

  async start () {
    const primary = await this.add('n1', this.primaryData)
    await this.run('initdb', ['-D', primary.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'])
    fs.appendFileSync(path.join(primary.data, 'postgresql.conf'), [
      "listen_addresses = '127.0.0.1'", `unix_socket_directories = '${this.folder}'`, 'max_connections = 100',
      'shared_buffers = 32MB', 'max_wal_senders = 10', 'wal_keep_size = 256MB', 'hot_standby = on', 'fsync = off',
      'wal_receiver_status_interval = 1s', 'wal_retrieve_retry_interval = 200ms',
      ...this.settings
    ].join('\n') + '\n')
    await this.launch(primary)
    await Promise.all(Array.from({ length: this.standbys }, async (_, i) => {
      const standby = await this.add(`n${i + 2}`)
      await this.follow(standby, primary)
      await this.launch(standby)
    }))
    if (this.isSynchronous && this.standbys) {
      await this.quorum(primary)
    }
    await this.query('CREATE DATABASE dashboard', { database: 'postgres' })
    return this
  }

  async add (name, data = path.join(this.folder, name)) {
    const server = { name, port: await freePort(), data }
    this.servers.push(server)
    return server
  }

  // Makes `standby` a copy of `primary`.
  async follow (standby, primary) {
    fs.rmSync(standby.data, { recursive: true, force: true })
    await this.run('pg_basebackup', ['-h', '127.0.0.1', '-p', primary.port, '-U', 'postgres', '-D', standby.data, '-X', 'stream', '-c', 'fast', '--no-sync'])
    fs.writeFileSync(path.join(standby.data, 'standby.signal'), '')
    fs.appendFileSync(path.join(standby.data, 'postgresql.auto.conf'), `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres application_name=${standby.name}'\nsynchronous_standby_names = ''\n`)
    if (isRoot) {
      spawnSync('chown', ['-R', `${this.owner.uid}:${this.owner.gid}`, standby.data])
    }
  }

  // From here on each commit of `primary` waits for one of the others.
  async quorum (primary) {
    const others = this.servers.filter((server) => server !== primary).map(({ name }) => name)
    await this.query(`ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (${others})'`, { server: primary, database: 'postgres' })
    await this.query('SELECT pg_reload_conf()', { server: primary, database: 'postgres' })
    await until(async () => {
      const [{ count }] = await this.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'", { server: primary, database: 'postgres' })
      return Number(count) > 0
    }, { seconds: 60 })
  }

  async launch (server) {
    const child = spawn(path.join(programs, 'postgres'), ['-D', server.data, '-p', String(server.port)], { ...this.owner, cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
    server.child = child
    server.log = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { server.log = (server.log + text).slice(-20000) })
    }
    server.ended = new Promise((resolve) => child.on('close', resolve))
    await until(async () => {
      if (child.exitCode !== null) {
        throw new Error(`${server.name} does not start: ${server.log}`)
      }
      return this.query('SELECT 1', { server, database: 'postgres' }).then(() => true, () => false)
    }, { seconds: 60 })
  }

  // Makes a standby the primary in place of the one that is gone or cut off. As an operator has to, it takes the one that has more: the
  // other one may lack what was acknowledged, and could not follow it either.
  async replacePrimary () {
    const [, ...standbys] = this.servers
    await Promise.all(standbys.map((standby) => this.setUpstream(standby)))
    for (const standby of standbys) {
      await until(async () => !(await this.query('SELECT pid FROM pg_stat_wal_receiver', { server: standby, database: 'postgres' })).length, { seconds: 60 })
      const [{ received }] = await this.query("SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0') AS received", { server: standby, database: 'postgres' })
      standby.received = Number(received)
    }
    const [next, ...others] = standbys.sort((one, other) => other.received - one.received)
    await this.promote(next)
    await Promise.all(others.map((standby) => this.setUpstream(standby, next)))
    await this.quorum(next)
    return next
  }

  promote (server) {
    return this.query('SELECT pg_promote()', { server, database: 'postgres' })
  }

  async setUpstream (standby, primary) {
    const source = primary ? `host=127.0.0.1 port=${primary.port} user=postgres application_name=${standby.name}` : ''
    fs.appendFileSync(path.join(standby.data, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`)
    await this.query('SELECT pg_reload_conf()', { server: standby, database: 'postgres' })
  }

  // Kills all processes of a server at once.
  async kill (server, signal = 'SIGKILL') {
    for (const pid of this.processes(server)) {
      try {
        process.kill(pid, signal)
      } catch (error) {
        // It has ended with its parent.
      }
    }
    if (signal === 'SIGKILL') {
      await server.ended
    }
  }

  processes (server) {
    return [server.child.pid, ...this.children(server.child.pid)]
  }

  children (pid) {
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    return stdout.split('\n').filter(Boolean).map(Number)
  }

  url ({ servers = this.servers, database = 'dashboard', query = '', user = 'postgres' } = {}) {
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
    return `postgres://${user}@${hosts}/${database}${query}`
  }

  async query (sql, { server = this.servers[0], database = 'dashboard', values } = {}) {
    const client = new Client({ host: '127.0.0.1', port: server.port, user: 'postgres', database, connectionTimeoutMillis: 5000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(sql, values)).rows
    } finally {
      await client.end()
    }
  }

  // An empty database.
  async database (name) {
    await this.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, { database: 'postgres' })
    await this.query(`CREATE DATABASE ${name}`, { database: 'postgres' })
    return this.url({ database: name })
  }

  run (program, args) {
    return promisify(execFile)(path.join(programs, program), args.map(String), { ...this.owner, cwd: this.folder })
  }

  async stop () {
    for (const server of this.servers.filter(({ child }) => child && child.exitCode === null && child.signalCode === null)) {
      await this.kill(server, 'SIGCONT')
      await this.kill(server)
    }
    fs.rmSync(this.folder, { recursive: true, maxRetries: 10 })
  }
}

module.exports = { Cluster, programs }
