// `npm run test:install`: publishes as the release does, to a registry on loopback, and installs from there where
// nothing can compile. The last line counts.
const assert = require('assert')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { makeConsumer } = require('./consumer.js')
const { build, glibc, installZig, listPaths, listSymbols, newestGlibc, target } = require('./portable.js')
const { fetchSize, publish, startRegistry } = require('./registry.js')
const { run } = require('./run-command.js')
const { names: threadOrders } = require('../fixtures/thread-orders.js')

const root = path.join(__dirname, '..', '..')
const { devDependencies, name, version } = require('../../package.json')
const { dependencies } = require('../contract/application/package.json')
const host = `@userdashboard/dashboard@${dependencies['@userdashboard/dashboard']}`
const platformPackage = `${name}-linux-x64-gnu`
const nodes = [18, 20, 22, 24, 25, 26]
// Test runners that load the addon in threads, in contexts of node:vm, and in processes.
const runners = [
  ...['threads', 'vmThreads', 'forks'].map((pool) => ['vitest', 'run', '--globals', '--dir', 'runners', `--pool=${pool}`]),
  ['jest', '--rootDir', 'runners', '--maxWorkers=2', '--workerThreads'],
  ['jest', '--rootDir', 'runners', '--maxWorkers=2']
]
// Largest size of all packages together, packed, in bytes; docs/decisions/packaging.md has the reason.
const sizeLimit = 2.95 * 1000 * 1000
const count = { passed: 0, failed: 0, skipped: 0 }

async function main () {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !process.report.getReport().header.glibcVersionRuntime) {
    return skip('this installs the package for Linux with glibc on x64, which this machine cannot run')
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-install-'))
  const artifacts = path.join(folder, 'artifacts')
  const built = path.join(artifacts, target)
  let registry
  try {
    await need('a registry and other versions of Node', installTools)
    const portable = await installZig()
    await need(portable ? `a build for glibc ${glibc}` : 'a build', () => build(built, { portable }))
    const binary = path.join(built, `${name}.linux-x64-gnu.node`)
    await check('the binary holds no path of this machine', () => assert.deepStrictEqual(listPaths(binary), []))
    if (portable) {
      await check(`no symbol is newer than glibc ${glibc}`, () => checkGlibc(binary))
      // build.rs has the linker lead sled to src/store/sled/database/sync_file_range.rs instead.
      await check('sync_file_range is not asked for', () => assert(!/ sync_file_range$/m.test(listSymbols(binary))))
    } else {
      skip('PyPI is out of reach: the binary is built for this machine\'s glibc alone')
    }
    registry = await startRegistry(path.join(folder, 'registry'))
    await need('the release publishes', () => publish(path.join(folder, 'checkout'), artifacts, target, registry))
    await checkInstallation(path.join(folder, 'user'), registry)
  } finally {
    registry?.stop()
    fs.rmSync(folder, { recursive: true })
  }
}

async function checkInstallation (folder, registry) {
  fs.mkdirSync(folder)
  const consumer = await makeConsumer(folder, registry.settings)
  const { application } = consumer
  const installed = path.join(application, 'node_modules', name)
  const checkInstalled = () => assert.deepStrictEqual(consumer.installed(), [name, platformPackage])

  await need(`npm install ${name}`, async () => {
    await consumer.run('npm', 'install', name)
    checkInstalled()
  })
  await check('what npm downloads is small', () => checkSizes(application))
  await check('nothing but what belongs to the package is in it', () => checkContents(path.join(application, 'node_modules')))
  await check('without the optional package the error says what to do', async () => {
    await consumer.run('npm', 'install', '--omit=optional')
    assert.deepStrictEqual(consumer.installed(), [name])
    const failure = await consumer.run('node', '-e', `require('${name}')`).then(() => assert.fail('it loads'), (error) => error.message)
    assert(failure.includes('ERR_PLATFORM_UNSUPPORTED') && failure.includes(`the package ${platformPackage}`), failure)
  })
  await need('npm install of Dashboard beside it', async () => {
    await consumer.run('npm', 'install', host)
    await consumer.run('npm', 'install', '--save-dev', `@types/node@${devDependencies['@types/node']}`)
    checkInstalled()
  })
  await need('npm ci', async () => {
    fs.rmSync(path.join(application, 'node_modules'), { recursive: true })
    await consumer.run('npm', 'ci')
    checkInstalled()
  })
  fs.cpSync(path.join(__dirname, 'application'), application, { recursive: true })
  await check('require', () => consumer.run('node', 'use.js'))
  await check('import, by default and by names', () => consumer.run('node', 'names.mjs'))
  await check('TypeScript with module nodenext', async () => {
    await consumer.run('node', path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.')
    assert((await consumer.run('node', path.join('compiled', 'common.cjs'))).includes('common: true function'))
    assert((await consumer.run('node', path.join('compiled', 'module.mjs'))).includes('module: true function'))
  })
  await check(`npx ${name} --help`, async () => {
    assert((await consumer.run('npx', name, '--help')).includes(`Usage: ${name}`))
  })
  await check('Dashboard on it', () => checkDashboard(consumer, path.join(folder, 'store')))
  for (const node of nodes) {
    await check(`Node ${node}`, async () => {
      const said = await consumer.run(path.join(__dirname, 'node_modules', `node-${node}`, 'bin', 'node'), 'use.js')
      assert(said.includes(`on Node v${node}.`), said)
    })
    await check(`threads that load it and end in any order, on Node ${node}`, async () => {
      const script = path.join(__dirname, '..', 'fixtures', 'thread-orders.js')
      for (const order of threadOrders) {
        await consumer.run(path.join(__dirname, 'node_modules', `node-${node}`, 'bin', 'node'), script, order, installed)
      }
    })
  }
  for (const [command, ...args] of runners) {
    await check([command, ...args].join(' '), () => run(path.join(__dirname, 'node_modules', '.bin', command), args, {
      cwd: __dirname,
      env: { ...process.env, ADDON: installed }
    }))
  }
}

// Only when the lock file is newer, since Node in four versions is large.
async function installTools () {
  const changed = (file) => fs.statSync(path.join(__dirname, file), { throwIfNoEntry: false })?.mtimeMs || 0
  if (changed('node_modules/.package-lock.json') < changed('package-lock.json')) {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: __dirname })
  }
}

function checkGlibc (binary) {
  const newest = newestGlibc(binary)
  const [major, minor] = newest.split('.').map(Number)
  const [mostMajor, mostMinor] = glibc.split('.').map(Number)
  assert(major < mostMajor || (major === mostMajor && minor <= mostMinor), `it needs glibc ${newest}`)
}

// By the lock file that npm wrote: it names all that was downloaded, and from where.
async function checkSizes (application) {
  const { packages } = JSON.parse(fs.readFileSync(path.join(application, 'package-lock.json'), 'utf8'))
  const total = { ours: 0, others: 0 }
  for (const [key, { resolved }] of Object.entries(packages).filter(([key]) => key)) {
    const size = await fetchSize(resolved)
    const isOurs = key.startsWith(`node_modules/${name}`)
    total[isOurs ? 'ours' : 'others'] += size
    if (isOurs) {
      console.log(`   ${path.basename(resolved)}: ${format(size)}`)
    }
  }
  console.log(`   together ${format(total.ours)} of at most ${format(sizeLimit)}; with their dependencies ${format(total.ours + total.others)}`)
  assert(total.ours <= sizeLimit, `the packages weigh ${format(total.ours)}, which is more than ${format(sizeLimit)}`)
}

function format (bytes) {
  return `${Math.round(bytes / 1000).toLocaleString('en')} kB`
}

function checkContents (modules) {
  const read = (...parts) => fs.readFileSync(path.join(modules, ...parts), 'utf8')
  const manifests = [name, platformPackage].map((folder) => JSON.parse(read(folder, 'package.json')))
  assert.deepStrictEqual(manifests[0].optionalDependencies, { [platformPackage]: version })
  for (const { scripts = {} } of manifests) {
    assert.deepStrictEqual(Object.keys(scripts).filter((script) => /^((pre|post)?install|prepare)$/.test(script)), [])
  }
  const files = fs.readdirSync(path.join(modules, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => path.relative(path.join(modules, name), path.join(entry.parentPath || entry.path, entry.name)))
  for (const file of paths.filter((file) => file !== 'package.json')) {
    assert(/^((bin|lib)\/.*\.js|lib\/pages\/style\.css|src\/www\/.*\.(js|html)|(index|native)\.(js|d\.ts)|man\/dashboard-sled\.1|(bench\/results|docs|examples)\/.*|LICENSE|(CHANGELOG|CONTRIBUTING|README)\.md)$/.test(file), `${file} does not belong to the package`)
    assert.strictEqual(read(name, file), fs.readFileSync(path.join(root, file), 'utf8'), `${file} differs from the source`)
  }
}

async function checkDashboard (consumer, store) {
  const manifest = path.join(consumer.application, 'package.json')
  fs.writeFileSync(manifest, JSON.stringify({ ...JSON.parse(fs.readFileSync(manifest, 'utf8')), dashboard: { modules: [name] } }))
  const dashboard = await consumer.startDashboard(store)
  try {
    assert(dashboard.said.includes('with our module'), dashboard.said)
    assert.strictEqual((await dashboard.get('/')).status, 200)
    await dashboard.post('/account/register', { ...dashboard.user, confirm: dashboard.user.password })
    const signedIn = await dashboard.post('/account/signin', dashboard.user)
    const cookie = signedIn.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ')
    assert(cookie.includes('sessionid=session_'), `no session came of the sign-in: ${cookie}`)
    // Only the owner, who was the first to register, sees it.
    const page = await dashboard.get('/administrator', cookie)
    assert.strictEqual(page.status, 200)
    assert((await page.text()).includes('/administrator/sessions'))
  } finally {
    await dashboard.stop()
  }
  const { records, problems } = JSON.parse(await consumer.run('npx', name, 'verify', '--store', store, '--json'))
  assert(records > 0 && problems === 0, `${records} records, ${problems} problems`)
}

// Runs a part that all later ones need: if it fails, they are not tried.
async function need (title, part) {
  const { result, error } = await attempt(title, part)
  if (error) {
    throw error
  }
  return result
}

async function check (title, part) {
  const { error } = await attempt(title, part)
  if (error) {
    console.error(error)
  }
}

async function attempt (title, part) {
  const started = Date.now()
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`
  try {
    const result = await part()
    count.passed++
    console.log(`passed: ${title}, ${seconds()}`)
    return { result }
  } catch (error) {
    count.failed++
    console.error(`FAILED: ${title}, ${seconds()}`)
    return { error }
  }
}

function skip (reason) {
  count.skipped++
  console.warn(`SKIPPED: ${reason}`)
}

main().catch((error) => {
  count.failed = count.failed || 1
  console.error(error)
}).finally(() => {
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  process.exitCode = count.failed ? 1 : 0
})
