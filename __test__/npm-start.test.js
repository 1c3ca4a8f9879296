/* eslint-env mocha */
const assert = require('assert')
const { once } = require('events')
const fs = require('fs')
const http = require('http')
const net = require('net')
const path = require('path')
const { makeFolder, runNode } = require('./helper.js')

const script = path.join('..', '..', 'examples', 'start.js')
const scripts = ['start', 'prepare', 'run-dashboard'].map((name) => `examples/${name}.js`)

describe('npm start', function () {
  this.timeout(120000)
  const children = []
  let folder, port

  beforeEach(async () => {
    folder = makeFolder()
    const server = await listen(0)
    port = server.address().port
    await close(server)
  })
  afterEach(() => {
    children.forEach((child) => child.kill('SIGKILL'))
    fs.rmSync(folder, { recursive: true })
  })

  it('runs until Ctrl-C or SIGTERM, and the next start finds the data', async () => {
    const first = await start()
    assert(first.said.includes(`Dashboard runs on http://localhost:${port}\n`))
    assert(first.said.includes(`Its data lies in ${path.join(folder, 'store')}\n`))
    assert(first.said.includes('/account/register: the first account becomes the owner'))
    assert.strictEqual((await request('GET', '/')).status, 200)
    const form = { username: 'a-username', password: 'a-password', confirm: 'a-password' }
    await request('POST', '/account/register', form)
    const { code, stdout } = await first.end('SIGINT')
    assert.strictEqual(code, 0)
    assert(stdout.endsWith('\nStopped; the next start finds the data\n'))
    const second = await start()
    const answer = await request('POST', '/account/signin', form)
    const cookie = answer.cookies.map((cookie) => cookie.split(';')[0]).join('; ')
    assert(cookie.startsWith('sessionid=session_'), cookie)
    assert.strictEqual((await request('GET', '/administrator', undefined, { cookie })).status, 200)
    const idle = net.connect(port, 'localhost')
    await once(idle, 'connect')
    idle.on('error', () => {})
    assert.strictEqual((await second.end('SIGTERM')).code, 0)
  })
  it('a port in use', async () => {
    const server = await listen(port)
    const { code, stdout, stderr } = await run({ PORT: port }).ended
    await close(server)
    assert.strictEqual(code, 1)
    assert.strictEqual(stderr, `PORT: ${port} on localhost is in use; choose another, for example PORT=8001\n`)
    assert.strictEqual(stdout, '')
  })
  it('a port that is none', async () => {
    for (const value of ['0', '-1', '65536', '80.5', '1e3', '0x50', '8000a', 'many']) {
      const { code, stderr } = await run({ PORT: value }).ended
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr, `PORT: ${value} is not a whole number from 1 to 65535\n`)
    }
  })
  it('a setting that the store refuses', async () => {
    const { code, stderr } = await run({ PORT: port, CACHE: 'node' }).ended
    assert.strictEqual(code, 1)
    assert(/^CACHE: .*\n$/.test(stderr), stderr)
  })

  describe('installs and builds', () => {
    const files = ['package-lock.json', 'Cargo.toml', 'src/store/log.rs', 'examples/dashboard/package-lock.json', 'examples/dashboard/main.js']
    // It runs until it is stopped, like the real one.
    const dashboard = 'const timer = setInterval(() => {}, 1000)\nexports.stop = () => clearInterval(timer)\nexports.Storage = { close: () => {} }\n'
    const installs = ['ci in .', 'ci in examples/dashboard']

    // A project of empty files whose npm only records how it was called.
    beforeEach(() => {
      for (const file of [...files, ...scripts, 'bin/npm', 'bin/cargo']) {
        fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
        fs.writeFileSync(path.join(folder, file), '')
        age(file, -1)
      }
      for (const file of scripts) {
        fs.copyFileSync(path.join(__dirname, '..', file), path.join(folder, file))
      }
      fs.writeFileSync(path.join(folder, 'examples/dashboard/main.js'), dashboard)
      fs.writeFileSync(path.join(folder, 'bin/npm'), `#!${process.execPath}\n(${npm})()\n`)
      fs.chmodSync(path.join(folder, 'bin/npm'), 0o700)
      fs.chmodSync(path.join(folder, 'bin/cargo'), 0o700)
    })

    it('everything at first, then only what has changed', async () => {
      assert.deepStrictEqual(await asked(), [...installs, 'run in .'])
      assert.deepStrictEqual(await asked(), [])
      assert.deepStrictEqual(await asked('package-lock.json'), ['ci in .'])
      assert.deepStrictEqual(await asked('examples/dashboard/package-lock.json'), ['ci in examples/dashboard'])
      assert.deepStrictEqual(await asked('Cargo.toml'), ['run in .'])
      assert.deepStrictEqual(await asked('src/store/log.rs'), ['run in .'])
    })
    it('says what to install where cargo is missing', async () => {
      fs.rmSync(path.join(folder, 'bin/cargo'))
      const { code, stdout, stderr } = await runCopy().ended
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr, 'cargo is missing: install Rust from https://rustup.rs, then start again\n')
      assert.strictEqual(stdout, '')
      fs.writeFileSync(path.join(folder, 'built.node'), '')
      assert.deepStrictEqual(await asked(), installs)
    })
    it('starts nothing where the build fails', async () => {
      const { code, stderr } = await runCopy({ FAIL: 'run' }).ended
      assert.strictEqual(code, 1)
      assert(/^npm run build failed in .*\n$/.test(stderr), stderr)
    })
    it('takes what it waits for with it', async () => {
      const { child, ended } = runCopy({ STAY: 'run' })
      await new Promise((resolve) => {
        child.stdout.on('data', (data) => String(data).includes('npm waits') && resolve())
      })
      child.kill()
      // Both have ended by then, for both write to one pipe.
      assert.strictEqual((await ended).code, 1)
    }).timeout(10000)

    // Runs in place of npm.
    function npm () {
      const fs = require('fs')
      const [command] = process.argv.slice(2)
      fs.appendFileSync(process.env.LOG, `${command} in ${process.cwd()}\n`)
      if (command === process.env.FAIL) {
        process.exit(1)
      }
      if (command === process.env.STAY) {
        setTimeout(() => {}, 60000)
        return console.log('npm waits')
      }
      fs.mkdirSync('node_modules', { recursive: true })
      fs.writeFileSync(command === 'ci' ? 'node_modules/.package-lock.json' : 'built.node', '')
    }

    // Calls of npm when `file` is newer than the build.
    async function asked (file) {
      const log = path.join(folder, 'log')
      fs.writeFileSync(log, '')
      if (file) {
        age(file, 1)
      }
      const { end } = await started(runCopy())
      assert.strictEqual((await end('SIGINT')).code, 0)
      if (file) {
        age(file, -1)
      }
      const lines = fs.readFileSync(log, 'utf8').trim().split('\n').filter(Boolean)
      return lines.map((line) => line.replace(folder, '.').replace('./', ''))
    }

    function runCopy (env) {
      const copy = path.relative(path.join(__dirname, 'fixtures'), path.join(folder, 'examples/start.js'))
      return run({ PORT: port, PATH: path.join(folder, 'bin'), LOG: path.join(folder, 'log'), ...env }, copy)
    }

    function age (file, hours) {
      const time = Date.now() / 1000 + hours * 3600
      fs.utimesSync(path.join(folder, file), time, time)
    }
  })

  function run (env, file = script) {
    const running = runNode(file, { env: { SLED_PATH: path.join(folder, 'store'), HOST: '', ...env } })
    children.push(running.child)
    return running
  }

  function start () {
    return started(run({ PORT: port }))
  }

  // Resolves once it has printed its address.
  async function started ({ child, ended }) {
    let said = ''
    await new Promise((resolve, reject) => {
      child.stdout.on('data', (data) => {
        said += data
        if (said.endsWith('Ctrl-C stops it\n')) {
          resolve()
        }
      })
      ended.then(({ stdout, stderr }) => reject(new Error(stdout + stderr)))
    })
    const end = (signal) => {
      child.kill(signal)
      return ended
    }
    return { said, end }
  }

  async function request (method, url, form, headers = {}) {
    const type = form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
    const asked = http.request({ host: 'localhost', port, path: url, method, headers: { ...type, ...headers } })
    asked.end(form && new URLSearchParams(form).toString())
    const [answer] = await once(asked, 'response')
    answer.resume()
    return { status: answer.statusCode, cookies: answer.headers['set-cookie'] || [] }
  }

  async function listen (port) {
    const server = net.createServer().listen(port, 'localhost')
    await once(server, 'listening')
    return server
  }

  function close (server) {
    return new Promise((resolve) => server.close(resolve))
  }
})
