/* eslint-env mocha */
// The socket of a running dashboard: who may use it, and what becomes of commands when something is killed, stopped or late.
const assert = require('assert')
const { execFileSync, spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const http = require('http')
const net = require('net')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const { failure } = require('../lib/errors.js')
const { answer } = require('../lib/control/routes.js')
const { version } = require('../package.json')
const { serve } = require('./helpers/serve.js')
const { loadEntries, makeFolder, runTool, tool, withStore } = require('./helper.js')
const { until } = require('./helpers/times.js')

const SLOW_MS = 2000

describe('the socket of a running dashboard', function () {
  this.timeout(60000)
  const children = []
  let folder, store
  beforeEach(() => {
    folder = fs.realpathSync(makeFolder())
    store = path.join(folder, 'store')
  })
  afterEach(async () => {
    for (const { child, ended } of children.splice(0)) {
      child.kill('SIGKILL')
      await ended
    }
    fs.rmSync(folder, { recursive: true, force: true })
  })

  it('is for its owner alone, and is gone with the store and with the process', async () => {
    const first = await start()
    assert.deepStrictEqual([mode(first.socket), mode(store), fs.existsSync(`${first.socket}.new`)], [0o600, 0o700, false])
    await first.step('close', {})
    assert.strictEqual(fs.existsSync(first.socket), false)
    assert.strictEqual((await run('verify')).code, 0)
    first.child.kill('SIGKILL')
    await first.ended
    const second = await start()
    // Neither the socket nor a connection keeps it alive.
    const idle = net.connect(second.socket)
    await once(idle, 'connect')
    second.child.send({ step: 'stop' })
    assert.deepStrictEqual([(await second.ended).code, fs.existsSync(second.socket), second.warnings], [0, false, []])
  })
  it('is gone with the store after the module was set up again', async () => {
    const { socket, step } = await start()
    await step('setUp', {})
    assert.strictEqual((await run('sessions', 'list')).code, 0)
    await step('close', {})
    assert.strictEqual(fs.existsSync(socket), false)
  })
  it('of a process that was killed is replaced, is not in the way, and is not taken for a dashboard', async () => {
    const first = await start()
    await first.step('signUp', { username: 'the-owner' })
    first.child.kill('SIGKILL')
    await first.ended
    assert(fs.existsSync(first.socket))
    for (const args of [['verify'], ['sessions', 'list'], ['stats']]) {
      assert.strictEqual((await run(...args)).code, 0)
    }
    assert.strictEqual((await run('backup', path.join(folder, 'backup'))).code, 0)
    const { code, stderr } = await run('restore', path.join(folder, 'backup'), '--yes')
    assert.deepStrictEqual([code, stderr], [0, ''])
    fs.writeFileSync(first.socket, 'another file')
    assert.strictEqual((await run('verify')).code, 0)
    const second = await start()
    assert.strictEqual((await run('sessions', 'list')).code, 0)
    second.child.kill('SIGKILL')
    await second.ended
    const third = await start()
    assert.strictEqual((await run('sessions', 'list', '--count')).stdout, '0 live, 1 ended\n')
    assert.deepStrictEqual(third.warnings, [])
  })
  it('works in a folder with a path that is too long for a socket', async () => {
    store = path.join(folder, 'a-long-name-'.repeat(10), 'another-long-name-'.repeat(5), 'store')
    const { socket, warnings } = await start()
    assert(fs.lstatSync(socket).isSocket())
    assert.deepStrictEqual([(await run('sessions', 'list')).code, (await run('verify')).code, warnings], [0, 0, []])
  })
  it('another user gets nothing', async function () {
    if (process.geteuid() !== 0) {
      console.warn('SKIPPED: the socket as another user, since this is not root')
      return this.skip()
    }
    const { socket } = await start()
    const connect = () => execFileSync(process.execPath, ['-e', `require('net').connect('${socket}').on('connect', () => console.log('in')).on('error', (error) => console.log(error.code)).on('close', () => process.exit())`], { cwd: '/', encoding: 'utf8', uid: 65534, gid: 65534 })
    fs.chmodSync(folder, 0o755)
    const closed = connect()
    // Not even where somebody has opened the folder.
    fs.chmodSync(store, 0o777)
    const opened = connect()
    assert.deepStrictEqual([closed, opened], ['EACCES\n', 'EACCES\n'])
  })

  for (const [title, stop] of Object.entries({
    'stopped by a signal': (dashboard) => dashboard.child.kill('SIGSTOP'),
    'whose event loop is blocked': (dashboard) => dashboard.step('block', { milliseconds: 20000 })
  })) {
    it(`a dashboard ${title} is said within two seconds, with what to do`, async () => {
      const dashboard = await start()
      await stop(dashboard)
      await sleep(50)
      for (const args of [['sessions', 'list'], ['backup', path.join(folder, 'backup')]]) {
        const took = []
        // The shortest of a few: on a busy machine it takes a while to start the tool.
        while (!took.some((milliseconds) => milliseconds < SLOW_MS)) {
          assert(took.length < 4, `${took} ms`)
          const started = Date.now()
          const { code, stdout, stderr } = await run(...args)
          took.push(Date.now() - started)
          assert.deepStrictEqual([code, stdout], [1, ''])
          const { pid } = dashboard.child
          assert(stderr.startsWith(`dashboard-stuck: the dashboard (process ${pid}) has the store in ${store} open, and has not answered for 1.5 s: `) && stderr.includes(`(kill -CONT ${pid})`), stderr)
        }
      }
      dashboard.child.kill('SIGCONT')
      await until(async () => (await run('sessions', 'list')).code === 0)
      // Nothing comes of it later.
      assert.strictEqual(fs.existsSync(path.join(folder, 'backup')), false)
    })
  }
  it('a dashboard that is stopped amid a command is said, and the command goes on when it does', async () => {
    const dashboard = await start()
    await dashboard.step('write', { count: 400, bytes: 200000 })
    const backup = begin('backup', path.join(folder, 'backup'))
    await until(() => fs.existsSync(path.join(folder, 'backup', 'guard')))
    dashboard.child.kill('SIGSTOP')
    await until(() => /warning: the dashboard \(process \d+\) has the store in .* has not answered for 2 s: .*\(DASHBOARD_SLED_STUCK\)\n/.test(backup.said.stderr), { seconds: 5 })
    dashboard.child.kill('SIGCONT')
    assert.strictEqual(await backup.ended, 0, backup.said.stderr)
    assert.match(backup.said.stdout, /backup and verified\n$/)
  })
  it('a dashboard that ends amid a command is said', async () => {
    const dashboard = await start()
    await dashboard.step('write', { count: 400, bytes: 200000 })
    const backup = begin('backup', path.join(folder, 'backup'))
    await until(() => fs.existsSync(path.join(folder, 'backup', 'guard')))
    dashboard.child.kill('SIGKILL')
    assert.strictEqual(await backup.ended, 1)
    assert.match(backup.said.stderr, /^dashboard-gone: the dashboard ended while it worked on this/)
  })

  for (const signal of ['SIGKILL', 'SIGINT']) {
    for (const keep of [[], ['--keep', '1']]) {
      it(`${signal} amid backup ${keep.join(' ')} leaves nothing`, async () => {
        const dashboard = await start()
        await dashboard.step('write', { count: 400, bytes: 200000 })
        const backups = path.join(folder, 'backups')
        // An old one is not removed for one that does not come.
        const kept = keep.length ? JSON.parse((await run('backup', backups, ...keep, '--json')).stdout).folder : undefined
        const target = path.join(folder, keep.length ? 'backups' : 'empty')
        fs.mkdirSync(target, { recursive: true })
        const isBegun = () => fs.readdirSync(target).some((name) => name === 'guard' || name.endsWith('.unfinished'))
        const backup = begin('backup', target, ...keep)
        await until(isBegun)
        backup.child.kill(signal)
        await backup.ended
        const second = await run('backup', path.join(folder, 'second'))
        assert(second.code === 0 || second.stderr.startsWith('backup-running: '), second.stderr)
        await until(() => fs.readdirSync(target).join() === (kept ? path.basename(kept) : ''))
        assert.strictEqual((await run('verify')).code, 0)
        assert.deepStrictEqual(dashboard.warnings, [])
      })
    }
  }
  it('SIGKILL amid verify leaves no copy, and one that a killed dashboard has left is removed', async () => {
    const dashboard = await start({ TMPDIR: folder })
    const copies = () => fs.readdirSync(folder).filter((name) => name.startsWith('dashboard-sled-verify-'))
    await dashboard.step('write', { count: 400, bytes: 200000 })
    const verify = begin('verify')
    await until(() => copies().length)
    verify.child.kill('SIGKILL')
    await until(() => !copies().length)
    begin('verify')
    await until(() => copies().length && fs.existsSync(path.join(folder, copies()[0], 'guard')))
    dashboard.child.kill('SIGKILL')
    await dashboard.ended
    assert.strictEqual(copies().length, 1)
    await start({ TMPDIR: folder })
    assert.strictEqual((await run('verify')).code, 0)
    assert.deepStrictEqual(copies(), [])
  })

  it('two tools at once: a session is ended by one of them, and one backup is made', async () => {
    const dashboard = await start()
    await dashboard.step('signUp', { username: 'the-owner' })
    for (let i = 0; i < 5; i++) {
      const { sessionid } = await dashboard.step('signIn', { username: 'the-owner' })
      const ends = await Promise.all([1, 2, 3].map(() => run('sessions', 'end', '--session', sessionid, '--yes', '--json')))
      assert.deepStrictEqual(ends.map(({ stdout }) => JSON.parse(stdout).ended).sort(), [0, 0, 1])
    }
    const { number } = JSON.parse((await run('audit', '--json')).stdout)
    assert.strictEqual(number, 5)
    await dashboard.step('write', { count: 100, bytes: 200000 })
    const backups = await Promise.all([1, 2].map((number) => run('backup', path.join(folder, `backup-${number}`))))
    const codes = backups.map(({ code }) => code)
    assert(codes.includes(0) && backups.every(({ code, stderr }) => code === 0 || stderr.startsWith('backup-running: ')), JSON.stringify(backups))
    const several = await Promise.all([...Array(8)].map(() => run('verify')))
    assert(several.every(({ code, stderr }) => code === 0 || stderr.startsWith('backup-running: ')), JSON.stringify(several))
  })
  it('two tools at once on a stopped store: one waits for a moment, or says that the other has it', async () => {
    await loadEntries(store, [{ list: 'a-list', items: ['a'] }])
    const found = await Promise.all([...Array(6)].map(() => run('list', 'a-list')))
    assert(found.every(({ code, stderr }) => code === 0 || (code === 5 && stderr.startsWith('store-locked: '))), JSON.stringify(found))
    assert(found.filter(({ code }) => code === 0).length > 1)
  })
  it('a store that is in use only for a moment is waited for', async () => {
    await loadEntries(store, [{ list: 'a-list', items: ['a'] }])
    let listed
    await withStore(store, async () => {
      listed = run('list', 'a-list')
      await sleep(600)
    })
    assert.deepStrictEqual((await listed).stdout, 'a\n')
  })
  it('a tool that is started with the dashboard, or as it stops, gets its answer', async () => {
    const { child, ended, step } = await start()
    await step('signUp', { username: 'the-owner' })
    child.send({ step: 'stop' })
    const found = []
    while (child.exitCode === null) {
      found.push(await run('sessions', 'list', '--count'))
    }
    await ended
    const starting = start()
    // From the moment on in which it has the store: a tool that was faster would keep it from starting.
    await until(() => children.at(-1).child.pid === Number(fs.readFileSync(path.join(store, 'lock'), 'utf8').split(' ')[0]))
    found.push(await run('sessions', 'list', '--count'))
    await starting
    found.push(await run('sessions', 'list', '--count'))
    assert.deepStrictEqual(found.filter(({ code, stdout }) => code !== 0 || stdout !== '1 live, 0 ended\n'), [])
  })

  it('commands that need a stopped dashboard still say so', async () => {
    await start()
    for (const args of [['compact'], ['verify', '--repair'], ['purge', '--older-than', '1d'], ['export']]) {
      const { code, stderr } = await run(...args)
      assert.deepStrictEqual([args, code, stderr.startsWith('store-locked: ')], [args, 5, true], stderr)
    }
  })
  it('another version is said, another protocol and another program are refused', async () => {
    await loadEntries(store, [{ list: 'a-list', items: ['a'] }])
    const about = { name: 'dashboard-sled', version: '99.0.0', protocol: 1 }
    for (const [text, code, sentence] of [
      [JSON.stringify(about), 0, `warning: the dashboard runs version 99.0.0 of dashboard-sled, and this tool is of version ${version}; restart`],
      [JSON.stringify({ ...about, protocol: 2 }), 1, 'dashboard-version: the dashboard runs version 99.0.0'],
      [JSON.stringify({ ...about, name: 'another' }), 1, 'dashboard-unknown: '],
      ['hello', 1, 'dashboard-unknown: ']
    ]) {
      const server = http.createServer((request, response) => response.end(request.method === 'GET' ? text : `${JSON.stringify({ report: { list: 'a', count: 1, offset: 0, items: ['of the dashboard'] } })}\n`))
      server.listen(path.join(store, 'control'))
      await once(server, 'listening')
      const found = await run('list', 'a-list')
      server.close()
      await once(server, 'close')
      assert.deepStrictEqual([found.code, found.stdout, found.stderr.startsWith(sentence)], [code, code ? '' : 'of the dashboard\n', true], found.stderr)
    }
  })

  describe('its answers', () => {
    it('/health is 200 while the store takes changes', async () => {
      const { socket } = await start()
      const { status, body } = await ask(socket, 'GET', '/health')
      assert.deepStrictEqual([status, JSON.parse(body)], [200, { ok: true }])
    })
    it('/metrics are there without a token', async () => {
      const { socket, step } = await start()
      await step('signUp', { username: 'the-owner' })
      const { status, body } = await ask(socket, 'GET', '/metrics')
      assert.deepStrictEqual([status, /^dashboard_sign_ins_total 1$/m.test(body)], [200, true], body)
    })
    it('/health is 503 with the slug when it does not, also if it does not answer at all', async () => {
      const poisoned = failure('store-poisoned', 'ERR_STORE_POISONED', 'a write failed')
      for (const [replace, slug] of [[async () => { throw poisoned }, 'store-poisoned'], [() => new Promise(() => {}), 'store-busy']]) {
        const server = http.createServer((request, response) => answer({ store: { replace } }, request, response))
        const socket = path.join(folder, 'socket')
        server.listen(socket)
        await once(server, 'listening')
        const { status, body } = await ask(socket, 'GET', '/health')
        server.close()
        assert.deepStrictEqual([status, JSON.parse(body).ok, JSON.parse(body).message], [503, false, slug])
      }
    })
    it('bad requests are refused, and the dashboard goes on', async () => {
      const { socket, step, warnings } = await start()
      await step('signUp', { username: 'the-owner' })
      for (const [method, url, body, slug] of [
        ['GET', '/nothing', '', 'invalid-route'],
        ['GET', '/operations/list', '', 'invalid-route'],
        ['POST', '/operations/__proto__', '{}', 'invalid-route'],
        ['POST', '/operations/nothing', '{}', 'invalid-route'],
        ['POST', '/operations/list', '', 'invalid-body'],
        ['POST', '/operations/list', '[]', 'invalid-body'],
        ['POST', '/operations/list', '{', 'invalid-body'],
        ['POST', '/operations/list', ' '.repeat(2e6), 'invalid-body'],
        ['POST', '/operations/list', '{}', 'invalid-path'],
        ['POST', '/operations/list', '{"path":"a","offset":-1,"limit":1}', 'invalid-offset'],
        ['POST', '/operations/list', '{"path":{"a":1}}', 'invalid-path'],
        ['POST', '/operations/inspect', '{"key":5}', 'invalid-file'],
        ['POST', '/operations/backup', '{}', 'invalid-folder'],
        ['POST', '/operations/sessions-end', '{"all":true}', 'invalid-user'],
        ['POST', '/operations/sessions-end', '{"user":"u"}', 'invalid-selection'],
        ['POST', '/operations/sessions-end', '{"user":"u","all":true,"appid":"another"}', 'invalid-appid'],
        ['POST', '/operations/sessions-end', '{"user":{"a":1},"all":true,"dryRun":true}', 'invalid-user'],
        ['POST', '/operations/sessions-show', '{"sessionid":["a"]}', 'invalid-sessionid'],
        ['POST', '/operations/audit-list', '{"format":"__proto__"}', 'invalid-format'],
        ['POST', '/operations/audit-erase', '{"user":"u"}', 'invalid-accountid']
      ]) {
        const { body: found } = await ask(socket, method, url, body)
        const { error } = JSON.parse(found.trim().split('\n').pop())
        assert.deepStrictEqual([url, body.slice(0, 60), error && error.message], [url, body.slice(0, 60), slug])
      }
      const raw = net.connect(socket)
      raw.end('not HTTP at all\r\n\r\n')
      await once(raw.resume(), 'close')
      assert.strictEqual((await run('sessions', 'list')).code, 0)
      assert.deepStrictEqual(warnings, [])
    })
  })

  async function start (env) {
    return serve(store, { env, before: (child) => children.push({ child, ended: once(child, 'close') }) })
  }

  function run (...args) {
    return runTool([...args, '--store', store])
  }

  // Starts the tool, which is left to itself.
  function begin (...args) {
    const child = spawn(process.execPath, [tool, ...args, '--store', store])
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => { said.stdout += data })
    child.stderr.on('data', (data) => { said.stderr += data })
    const ended = once(child, 'close').then(([code]) => code)
    children.push({ child, ended })
    return { child, ended, said }
  }

  function ask (socketPath, method, path, body = '') {
    return new Promise((resolve, reject) => {
      http.request({ socketPath, method, path, agent: false }, (response) => {
        let text = ''
        response.on('data', (data) => { text += data })
        response.on('end', () => resolve({ status: response.statusCode, body: text }))
      }).on('error', reject).end(body)
    })
  }

  function mode (file) {
    return fs.statSync(file).mode & 0o777
  }
})
