// Three servers on loopback that Patroni looks after, by Raft among themselves. It is installed from PyPI, because the one of Debian is
// older than its quorum mode.
const { spawn, spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { Cluster, programs } = require('./servers.js')
const { until } = require('../helpers/times.js')

const packages = ['patroni[raft]==4.1.5', 'psycopg[binary]==3.3.9']
const names = ['n1', 'n2', 'n3']

class Patroni extends Cluster {
  // Returns the reason if it cannot be installed.
  async install () {
    const venv = path.join(this.folder, 'venv')
    // One in the home of root cannot be run by the owner of the servers.
    const python = ['/usr/bin/python3'].find(fs.existsSync) || 'python3'
    for (const [program, ...args] of [[python, '-m', 'venv', venv], [path.join(venv, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', ...packages]]) {
      const { status, error, stderr } = spawnSync(program, args, { encoding: 'utf8' })
      if (status !== 0) {
        return `${program} failed: ${error || stderr.trim()}`
      }
    }
  }

  async start () {
    for (const name of names) {
      await this.add(name)
    }
    for (const server of this.servers) {
      server.raft = await freePort()
      server.api = await freePort()
    }
    for (const server of this.servers) {
      fs.writeFileSync(this.settingsOf(server), JSON.stringify(this.configure(server)))
      await this.launch(server)
    }
    await this.isWhole()
    await this.query('CREATE DATABASE dashboard', { database: 'postgres' })
    return this
  }

  settingsOf ({ name }) {
    return path.join(this.folder, `${name}.json`)
  }

  configure (server) {
    const at = (port) => `127.0.0.1:${port}`
    const user = { username: 'postgres' }
    return {
      scope: 'dashboard',
      name: server.name,
      restapi: { listen: at(server.api), connect_address: at(server.api) },
      raft: {
        data_dir: path.join(this.folder, `${server.name}-raft`),
        self_addr: at(server.raft),
        partner_addrs: this.servers.filter((other) => other !== server).map(({ raft }) => at(raft))
      },
      bootstrap: {
        dcs: {
          // The least that Patroni takes.
          ttl: 20,
          loop_wait: 2,
          retry_timeout: 3,
          synchronous_mode: 'quorum',
          synchronous_mode_strict: true,
          postgresql: { use_pg_rewind: true, parameters: { max_connections: 100 } }
        },
        initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }]
      },
      postgresql: {
        listen: at(server.port),
        connect_address: at(server.port),
        data_dir: server.data,
        bin_dir: programs,
        pgpass: path.join(this.folder, `${server.name}.pgpass`),
        authentication: { superuser: user, replication: user, rewind: user },
        pg_hba: ['local all all trust', 'host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust'],
        parameters: { unix_socket_directories: this.folder, shared_buffers: '32MB' }
      }
    }
  }

  async launch (server) {
    const log = fs.openSync(path.join(this.folder, `${server.name}.log`), 'a')
    const child = spawn(path.join(this.folder, 'venv', 'bin', 'patroni'), [this.settingsOf(server)], { ...this.owner, cwd: this.folder, stdio: ['ignore', log, log] })
    fs.closeSync(log)
    server.child = child
    server.ended = new Promise((resolve) => child.on('close', resolve))
  }

  // Resolves when there is a primary whose commits wait for one of two standbys.
  isWhole () {
    return until(async () => {
      try {
        const [{ count }] = await this.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'", { server: await this.primary(), database: 'postgres' })
        return Number(count) === names.length - 1
      } catch (error) {
        return false
      }
    }, { seconds: 120 })
  }

  async primary () {
    for (const server of this.servers) {
      const rows = await super.query('SELECT pg_is_in_recovery() AS follows', { server, database: 'postgres' }).catch(() => [{ follows: true }])
      if (!rows[0].follows) {
        return server
      }
    }
    throw new Error('no server is the primary')
  }

  // Kills the machine, so to say: Patroni with PostgreSQL.
  async killPrimary () {
    const server = await this.primary()
    await this.kill(server)
    return server
  }

  processes (server) {
    const file = path.join(server.data, 'postmaster.pid')
    const postmaster = fs.existsSync(file) ? [Number(fs.readFileSync(file, 'utf8').split('\n')[0])] : []
    return [server.child.pid, ...postmaster.flatMap((pid) => [pid, ...this.children(pid)])]
  }

  async query (sql, { server, ...options } = {}) {
    return super.query(sql, { server: server || await this.primary(), ...options })
  }
}

module.exports = { Patroni }
