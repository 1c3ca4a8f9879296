// A store under a Dashboard of its own, in a process of its own.
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { freePort } = require('../__test__/contract/free-port.js')
const { makePlain } = require('./install.js')
const { RedisServer } = require('./redis-server.js')
const { host, ours, stores } = require('./stores.js')

const beforeKill = 500
const readers = 1024
const inFlightAtKill = 64

class StoreProcess {
  // Everything of it lies in `folder`.
  constructor (name, folder, env = {}) {
    this.name = name
    this.store = stores[name]
    this.folder = folder
    this.data = path.join(folder, 'data')
    this.env = env
  }

  async start () {
    makeApplication(this.folder, this.store, this.name)
    fs.mkdirSync(this.data, { recursive: true, mode: 0o700 })
    if (this.store.redis) {
      this.redis = await RedisServer.start(this.data, this.store.redis)
      this.env = { ...this.env, REDIS_HOST: '127.0.0.1', REDIS_PORT: String(this.redis.port) }
    }
    return this.startHost()
  }

  async startHost () {
    this.port = await freePort()
    this.child = spawn(this.store.node ? this.store.node() : process.execPath, ['--expose-gc', path.join(__dirname, 'host.js')], {
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(this.port),
        NODE_ENV: 'production',
        DASHBOARD_SESSION_KEY: 'a-key-of-the-benchmark',
        BCRYPT_WORKLOAD_FACTOR: '4',
        ALLOW_PUBLIC_API: 'true',
        GENERATE_API_TXT: 'false',
        GENERATE_ENV_TXT: 'false',
        GENERATE_SITEMAP_TXT: 'false',
        ...this.store.env(this.data),
        ...this.env
      }
    })
    this.said = ''
    this.child.stderr.on('data', (data) => { this.said = (this.said + data).slice(-4000) })
    this.child.on('error', (error) => { this.said += error.message })
    this.ended = new Promise((resolve) => this.child.once('exit', resolve))
    return this.ask('start')
  }

  async load (sessions, { lists = false, loaders = this.store.loaders || 64 } = {}) {
    this.sessions = sessions
    await this.ask('load', { sessions, lists, loaders })
  }

  // A new process goes on where the last one stopped, and has read everything once; a server stays up.
  async restart () {
    const left = await this.ask('leave')
    await this.stopHost()
    await this.startHost()
    await this.ask('use', { sessions: this.sessions, left })
    await this.readAll()
  }

  readAll () {
    return this.ask('readAll', { hasSessionCache: this.name === ours, width: readers })
  }

  // The result of a measurement, with the processor time of the server, if there is one, added to that of each call.
  async measure (args) {
    const before = this.redis?.processor()
    const result = await this.ask('measure', args)
    return { ...result, processor: result.processor + (this.redis ? (this.redis.processor() - before) / result.calls : 0) }
  }

  // Processor time so far of the process and of the server, in microseconds.
  async processor () {
    return await this.ask('processor') + (this.redis ? this.redis.processor() : 0)
  }

  // One thing at a time.
  ask (method, args) {
    return new Promise((resolve, reject) => {
      const end = () => reject(new Error(`the process ended during ${method}: ${this.said.trim()}`))
      if (!this.child.connected) {
        return end()
      }
      this.child.once('exit', end)
      this.child.once('message', ({ result, error }) => {
        this.child.off('exit', end)
        if (error === undefined) {
          resolve(result)
        } else {
          reject(new Error(`${method}: ${error}`))
        }
      })
      this.child.send({ method, args })
    })
  }

  // Returns the problems of the store: in the process, and for a durable store also after a kill of the process.
  async check () {
    try {
      const problems = await this.ask('check')
      return this.store.durable ? [...problems, ...await this.checkKill()] : problems
    } catch (error) {
      return [makePlain(error)]
    }
  }

  // Every patch that was acknowledged before the kill is there after it; of those in flight, any may be.
  async checkKill () {
    const before = await this.ask('numbers')
    const { acknowledged, total } = await this.killWhilePatching(before.length)
    await this.start()
    await this.ask('use', { sessions: this.sessions })
    const after = await this.ask('numbers')
    const lost = after.reduce((sum, number, i) => sum + Math.max(0, before[i] + acknowledged[i] - number), 0)
    const kept = after.reduce((sum, number, i) => sum + number - before[i], 0)
    if (!total) {
      return ['nothing was acknowledged before the kill']
    }
    return lost || kept > total + inFlightAtKill ? [`${lost} of ${total} acknowledged patches were lost in a kill (${kept} are there)`] : []
  }

  async killWhilePatching (accounts) {
    const ledger = path.join(this.folder, 'ledger')
    await this.ask('patchUntilKilled', { ledger })
    await new Promise((resolve) => setTimeout(resolve, beforeKill))
    await this.kill()
    const written = fs.readFileSync(ledger)
    const acknowledged = new Uint32Array(accounts)
    for (let at = 0; at + 4 <= written.length; at += 4) {
      acknowledged[written.readUInt32LE(at)]++
    }
    fs.rmSync(ledger)
    return { acknowledged, total: Math.floor(written.length / 4) }
  }

  async kill () {
    await this.redis?.kill()
    this.child?.kill('SIGKILL')
    await this.ended
  }

  async stop () {
    await this.stopHost()
    await this.redis?.kill()
  }

  async stopHost () {
    if (this.child.connected) {
      await this.ask('close').catch(() => {})
      this.child.disconnect()
    }
    await this.ended
  }

  async remove () {
    await this.stop()
    fs.rmSync(this.folder, { recursive: true })
  }
}

module.exports = { StoreProcess }

// Makes an application as an operator has it: a package.json, with Dashboard and the engine among the packages.
function makeApplication (folder, { engine, modules = [] }, name) {
  const packages = path.join(folder, 'node_modules')
  if (fs.existsSync(packages)) {
    return
  }
  fs.mkdirSync(path.join(packages, '@userdashboard'), { recursive: true })
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, dashboard: { modules } }))
  fs.symlinkSync(host, path.join(packages, '@userdashboard', 'dashboard'))
  if (modules.length) {
    fs.symlinkSync(engine, path.join(packages, modules[0]))
  } else if (engine) {
    fs.mkdirSync(path.join(packages, name))
    fs.writeFileSync(path.join(packages, name, 'index.js'), `module.exports = require(${JSON.stringify(engine)})\n`)
  }
}
