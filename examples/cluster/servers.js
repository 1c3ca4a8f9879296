// Three PostgreSQL servers on loopback: a primary and two standbys. A commit is acknowledged when one of the standbys has it.
const { execFile, spawn } = require('child_process')
const crypto = require('crypto')
const { once } = require('events')
const fs = require('fs')
const net = require('net')
const path = require('path')
const { promisify } = require('util')
const { plain } = require('../prepare.js')
const { findPrograms, readAccount, user } = require('./programs.js')

const names = ['primary', 'standby_1', 'standby_2']
const host = '127.0.0.1'
const database = 'dashboard'
const startLimitMs = 30000
// Runs a server, and stops it at the end of the input: when this process closes it, or is gone.
const script = 'exec 3<&0; "$@" 3<&- & server=$!; (cat; kill -INT $server) <&3 & exec 3<&-; wait $server'

class Servers {
  // Creates them in `folder` if it is empty.
  static async start (folder) {
    const programs = findPrograms()
    if (!programs) {
      throw plain('PostgreSQL is missing: install its server, on Debian with apt-get install postgresql, then start again')
    }
    const servers = new Servers(programs, folder)
    try {
      await servers.startAll()
    } catch (error) {
      await servers.stop()
      throw error
    }
    return servers
  }

  constructor (programs, folder) {
    Object.assign(this, { programs, folder, running: [], account: readAccount() })
  }

  async startAll () {
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    this.give(this.folder)
    const passwordFile = path.join(this.folder, 'password')
    const isNew = !fs.existsSync(passwordFile)
    if (isNew && fs.readdirSync(this.folder).length) {
      throw plain(`${this.folder} is not empty, but has no complete cluster: remove it, or choose another folder by CLUSTER_PATH`)
    }
    this.password = isNew ? crypto.randomBytes(16).toString('hex') : fs.readFileSync(passwordFile, 'utf8')
    if (isNew) {
      await this.createPrimary()
    }
    this.ports = []
    for (const name of names) {
      if (isNew && name !== names[0]) {
        await this.createStandby(name)
      }
      await this.startOne(name)
    }
    if (isNew) {
      // Last: without it, the next start creates nothing over what is there.
      fs.writeFileSync(passwordFile, this.password, { mode: 0o600 })
    }
    this.url = `postgres://${user}:${this.password}@${host}:${this.ports[0]}/${database}`
  }

  async createPrimary () {
    const folder = this.folderOf(names[0])
    const file = path.join(this.folder, 'password-of-initdb')
    fs.writeFileSync(file, this.password, { mode: 0o600 })
    this.give(file)
    await this.run('initdb', ['--pgdata', folder, '--username', user, '--auth', 'scram-sha-256', '--pwfile', file, '--encoding', 'UTF8', '--locale', 'C'])
    fs.rmSync(file)
    fs.appendFileSync(path.join(folder, 'postgresql.conf'), `
listen_addresses = '${host}'
unix_socket_directories = ''
synchronous_commit = on
synchronous_standby_names = 'ANY 1 (${names.slice(1).join(', ')})'
# A standby that was stopped with the others finds what it lacks.
wal_keep_size = 256MB
`)
  }

  async createStandby (name) {
    if (name === names[1]) {
      // There is no standby yet that could acknowledge it.
      await this.run('createdb', ['--host', host, '--port', String(this.ports[0]), '--username', user, database], { PGOPTIONS: '-c synchronous_commit=local' })
    }
    const source = `host=${host} port=${this.ports[0]} user=${user} application_name=${name}`
    await this.run('pg_basebackup', ['--pgdata', this.folderOf(name), '--dbname', source, '--write-recovery-conf', '--checkpoint', 'fast'])
  }

  async startOne (name) {
    const folder = this.folderOf(name)
    const port = await this.portOf(name)
    await this.isFree(name)
    const log = fs.openSync(path.join(this.folder, `${name}.log`), 'a')
    const command = [path.join(this.programs, 'postgres'), '-D', folder, '-p', String(port)]
    // Detached, because Ctrl-C in a terminal goes to all processes of its group, and the Dashboards end first.
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...command], { ...this.account, cwd: folder, detached: true, stdio: ['pipe', log, log] })
    fs.closeSync(log)
    child.ended = once(child, 'exit')
    this.running.push(child)
    const end = Date.now() + startLimitMs
    while (!await this.isReady(port)) {
      if (child.exitCode !== null || Date.now() > end) {
        throw plain(`PostgreSQL (${name}) did not start: ${path.join(this.folder, `${name}.log`)} says why`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    this.ports.push(port)
  }

  // Resolves when no server of an earlier start is in the folder. One whose starter was killed is about to end.
  async isFree (name) {
    const end = Date.now() + startLimitMs
    for (let said = false; await this.succeeds('pg_ctl', ['status', '--pgdata', this.folderOf(name)]); said = true) {
      if (!said) {
        console.log(`PostgreSQL (${name}) of an earlier start still runs in ${this.folderOf(name)}: waiting for its end ...`)
      }
      if (Date.now() > end) {
        throw plain(`PostgreSQL (${name}) still runs in ${this.folderOf(name)}: stop what has started it, or choose another folder by CLUSTER_PATH`)
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  // The standbys know the port of their primary, so it stays as it was.
  async portOf (name) {
    const file = path.join(this.folder, `${name}.port`)
    if (!fs.existsSync(file)) {
      fs.writeFileSync(file, String(await freePort()))
    }
    return Number(fs.readFileSync(file, 'utf8'))
  }

  isReady (port) {
    return this.succeeds('pg_isready', ['--host', host, '--port', String(port)])
  }

  succeeds (program, args) {
    return promisify(execFile)(path.join(this.programs, program), args, this.account).then(() => true, () => false)
  }

  async run (program, args, env = {}) {
    try {
      await promisify(execFile)(path.join(this.programs, program), args, { ...this.account, cwd: this.folder, env: { ...process.env, PGPASSWORD: this.password, ...env } })
    } catch (error) {
      throw plain(`${program} failed: ${(error.stderr || error.message).trim()}`)
    }
  }

  folderOf (name) {
    return path.join(this.folder, name)
  }

  give (file) {
    if (this.account.uid) {
      fs.chownSync(file, this.account.uid, this.account.gid)
    }
  }

  // The primary first: it sends the standbys all that they lack before it ends.
  async stop () {
    for (const child of this.running.splice(0)) {
      child.stdin.end()
      await child.ended
    }
  }
}

module.exports = { Servers }

async function freePort () {
  const server = net.createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}
