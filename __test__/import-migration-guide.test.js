/* eslint-env mocha */
// The commands of docs/migration.md, as an operator runs them, on what the real Dashboard wrote with each engine.
const assert = require('assert')
const { spawn } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { makeFolder } = require('./helper.js')
const { until } = require('./helpers/times.js')
const { secrets } = require('./helpers/secret.js')
const { applicationOf, runDashboard } = require('./import/dashboard.js')
const { fillBig, fingerprint, useSource } = require('./import/kinds.js')

const page = fs.readFileSync(path.join(__dirname, '..', 'docs', 'migration.md'), 'utf8')
const settings = { files: 'STORAGE_PATH', redis: 'REDIS_URL', mysql: 'DATABASE_URL', postgresql: 'DATABASE_URL' }
const success = 'every record and every list is as in the source\n'

describe('import by the commands of docs/migration.md', function () {
  this.timeout(60000)
  // Commands that import from a server or from files; the others have tests of their own.
  const commands = [...page.matchAll(/^ {4}(npx .*)$/gm)].map(([, command]) => command).filter((command) => !/--from (jsonl|sled) /.test(command))

  for (const kind of Object.keys(settings)) {
    describe(`from ${kind}`, () => {
      const source = useSource(kind)
      const command = commands.find((command) => command.includes(`--from ${kind} `))

      for (const [title, secret] of Object.entries({ plain: {}, encrypted: secrets })) {
        it(`users sign in, sessions go on and lists have their order, ${title}`, async () => {
          const env = { ...secret, APPID: title }
          const folder = path.join(source.folder, title)
          fs.mkdirSync(folder)
          const application = applicationOf(folder, 'sled')
          // The files are in their default folder, and the store is made among them.
          const place = kind === 'files' ? path.join(application, 'data') : source.url
          const { users } = await runDashboard(folder, kind, place, 'fill', { count: 5 }, env)
          const before = await runDashboard(folder, kind, place, 'look', {}, env)
          const print = kind !== 'files' && await fingerprint(kind, source)
          const { code, stdout, stderr } = await run(command, application, { [settings[kind]]: source.readerUrl }).ended
          assert.strictEqual(code, 0, stderr)
          assert(stdout.endsWith(success), stdout)
          assert.deepStrictEqual(kind !== 'files' && await fingerprint(kind, source), print)
          const sled = [folder, 'sled', path.join(application, 'data', 'dashboard.sled')]
          assert.deepStrictEqual(await runDashboard(...sled, 'look', {}, env), before)
          const { visits, wrong } = await runDashboard(...sled, 'visit', { users }, env)
          // The session of the second user was ended by a reset.
          assert.deepStrictEqual(visits, users.map((_, i) => [i === 1 ? 'signin' : 'account', 'account']))
          assert.strictEqual(wrong, 'invalid-password')
        })
      }
      if (kind === 'postgresql') {
        it('into the store of a module', async () => {
          const application = applicationOf(source.folder, 'sled')
          const command = commands.find((command) => command.includes('ORGANIZATIONS'))
          const store = path.join(application, 'data', 'organizations')
          const { code, stdout } = await run(command, application, { ORGANIZATIONS_DATABASE_URL: source.readerUrl, ORGANIZATIONS_SLED_PATH: store }).ended
          assert.strictEqual(code, 0)
          assert(stdout.endsWith(success), stdout)
          assert((await verify(store)).records > 0)
        })
      }
      if (kind !== 'files') {
        // The last test, because it kills the server.
        it('is an error when the server goes away, and shows no password', async () => {
          await fillBig(kind, source)
          const application = applicationOf(source.folder, 'sled')
          const store = path.join(application, 'interrupted')
          const { ended } = run(command, application, { [settings[kind]]: source.readerUrl, SLED_PATH: store })
          await until(() => fs.existsSync(path.join(store, 'guard')))
          await source.kill()
          const { code, stdout, stderr } = await ended
          assert.deepStrictEqual([code, stdout], [1, ''])
          const { protocol, username, host } = new URL(source.readerUrl)
          const [said] = stderr.split('\n').filter((line) => !/^(npm warn|store: )/.test(line))
          assert(said.startsWith(`source-interrupted: ${protocol}//${username}@${host}`), stderr)
          for (const secret of [source.password, encodeURIComponent(source.password)]) {
            assert(!stderr.includes(secret), stderr)
          }
          assert.strictEqual((await verify(store)).problems, 0)
        })
      }
    })
  }

  it('every command of the page is run by a test', () => {
    const tested = commands.filter((command) => Object.keys(settings).some((kind) => command.includes(`--from ${kind} `)))
    assert.deepStrictEqual(tested, commands)
    assert.strictEqual(commands.length, 5)
  })
  it('the client libraries of the page are those of package.json', () => {
    const { peerDependencies, devDependencies } = require('../package.json')
    const installs = [...page.matchAll(/^ {4}npm install (\w+)@(\d+)$/gm)]
    assert.deepStrictEqual(installs.map(([, name]) => name).sort(), Object.keys(peerDependencies))
    for (const [, name, major] of installs) {
      assert(peerDependencies[name].includes(`^${major}.`), name)
      assert(devDependencies[name].startsWith(`${major}.`), name)
    }
  })
  it('the lines of JSON of the page can be imported', async () => {
    const folder = makeFolder()
    const file = path.join(folder, 'lines')
    const lines = [...page.matchAll(/^ {4}(\{.*\})$/gm)].map(([, line]) => line)
    fs.writeFileSync(file, lines.map((line) => line + '\n').join(''))
    const command = `npx dashboard-sled import --from jsonl ${file} --store ${folder}/store --verify`
    const { stdout, stderr } = await run(command, applicationOf(folder, 'sled')).ended
    assert(stdout.endsWith(success), stderr)
    const report = await verify(path.join(folder, 'store'))
    assert.deepStrictEqual([report.records, report.lists, report.items], [2, 1, 2])
    fs.rmSync(folder, { recursive: true })
  })

  async function verify (path) {
    const store = await addon.open({ path })
    return store.verify().finally(() => store.close())
  }

  function run (command, cwd, env = {}) {
    const { SLED_PATH, STORAGE_PATH, ...others } = process.env
    const child = spawn('sh', ['-c', command], { cwd, env: { ...others, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => { said.stdout += data })
    child.stderr.on('data', (data) => { said.stderr += data })
    return { ended: once(child, 'close').then(([code]) => ({ code, ...said })) }
  }
})
