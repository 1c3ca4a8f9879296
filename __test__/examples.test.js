/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { freePort } = require('./contract/free-port.js')
const { makeFolder, runNode } = require('./helper.js')

const examples = path.join(__dirname, '..', 'examples')

// The Dashboard of `npm start` is in npm-start.test.js, and the three of `npm run start:cluster` in cluster/journey.test.js.
describe('examples', function () {
  this.timeout(60000)
  let folder
  beforeEach(() => {
    folder = makeFolder()
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  it('store-alone writes, lists, and finds what it wrote', async () => {
    const store = path.join(fs.realpathSync(folder), 'store')
    const first = await run('store-alone', [store])
    assert.match(first, /^\{"id":"note_1","written":"[^"]+"\}\n1 notes in /)
    await run('store-alone', [store])
    await run('store-alone', [store])
    const fourth = await run('store-alone', [store])
    assert.deepStrictEqual([...fourth.matchAll(/"id":"(\w+)"/g)].map(([, id]) => id), ['note_4', 'note_3', 'note_2'])
    assert(fourth.endsWith(`4 notes in ${store}\n`), fourth)
  })
  it('store-alone keeps its store where it says', async () => {
    await run('store-alone')
    assert(fs.existsSync(path.join(folder, 'data', 'notes.sled', 'guard')))
  })
  it('store-alone says what is wrong', async () => {
    fs.writeFileSync(path.join(folder, 'file'), '')
    const { code, stdout, stderr } = await start('store-alone', [folder]).ended
    assert.deepStrictEqual([code, stdout], [1, ''])
    assert.strictEqual(stderr, `${fs.realpathSync(folder)} is not empty and holds no store (found file); choose an empty or a new folder\n`)
  })

  it('worker-thread shares a store between two threads', async () => {
    assert.strictEqual(await run('worker-thread'), [
      'the main thread reads of the worker: number 999 of the worker thread',
      'both have added 2000 items to one list\n'
    ].join('\n'))
    assert(fs.existsSync(path.join(folder, 'data', 'threads.sled', 'guard')))
  })

  it('modules-by-hand puts ours into a running Dashboard', async () => {
    for (const file of ['main.js', 'package.json']) {
      fs.copyFileSync(path.join(examples, 'modules-by-hand', file), path.join(folder, file))
    }
    fs.symlinkSync(path.join(__dirname, 'contract', 'application', 'node_modules'), path.join(folder, 'node_modules'))
    const script = path.join(folder, 'main.js')
    const env = { BCRYPT_WORKLOAD_FACTOR: '4', PORT: String(await freePort()), SLED_PATH: path.join(folder, 'store'), STORAGE: 'dashboard-sled' }
    const { ended } = runNode(path.relative(path.join(__dirname, 'fixtures'), script), { cwd: folder, env })
    const { code, stdout, stderr } = await ended
    // Its package.json lists no modules.
    assert.strictEqual(code, 0, stderr)
    assert.match(stderr, /^\(node:\d+\) \[DASHBOARD_SLED_MODULE\] Warning: dashboard-sled is not listed under dashboard\.modules in package\.json: [^\n]*\n\(Use `node --trace-warnings [^\n]*\n$/)
    assert.strictEqual(stdout, [
      'Session.get and ResetSessionKey.patch are Dashboard\'s own',
      'now they are ours',
      'signed in, the session lives',
      'reset, the session key has number 2',
      'the session has ended\n'
    ].join('\n'))
  })

  it('every example has a test', () => {
    const named = fs.readFileSync(__filename, 'utf8')
    const folders = fs.readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert(folders.length >= 4)
    for (const { name } of folders.filter(({ name }) => !['cluster', 'dashboard', 'grafana'].includes(name))) {
      assert(named.includes(`it('${name} `), name)
      const text = fs.readFileSync(path.join(examples, name, 'main.js'), 'utf8')
      assert.match(text, /^\/\/ {5}.*node .*main\.js$/m, `examples/${name}/main.js does not say how it is run`)
    }
  })

  function start (name, args) {
    return runNode(path.join('..', '..', 'examples', name, 'main.js'), { cwd: folder, args })
  }

  async function run (name, args) {
    const { code, stdout, stderr } = await start(name, args).ended
    assert.deepStrictEqual([code, stderr], [0, ''])
    return stdout
  }
})
