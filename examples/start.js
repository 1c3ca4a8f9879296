// `npm start`: installs and builds what is missing, then runs the example until Ctrl-C. `exec` in package.json has
// the SIGTERM that npm gets arrive here: the shell between would die of it, and this would go on alone.
const { spawn, spawnSync } = require('child_process')
const { subscribe } = require('diagnostics_channel')
const { once } = require('events')
const fs = require('fs')
const net = require('net')
const path = require('path')

const root = path.join(__dirname, '..')
const application = path.join(__dirname, 'dashboard')
const installFlags = ['--ignore-scripts', '--no-audit', '--no-fund']
// How long requests may take to end, and all of the end.
const graceMs = 2000
const limitMs = 30000

let child, dashboard, server, stopping

async function main () {
  const { host, port } = await readAddress()
  if (needsBuild() && spawnSync('cargo', ['--version']).error) {
    throw plain('cargo is missing: install Rust from https://rustup.rs, then start again')
  }
  for (const folder of [root, application]) {
    if (needsInstall(folder)) {
      await work('Installing packages', folder, ['ci', ...installFlags])
    }
  }
  if (needsBuild()) {
    await work('Building the addon, the first time takes some minutes', root, ['run', 'build'])
  }
  const data = path.resolve(process.env.SLED_PATH || path.join(application, 'data', 'dashboard.sled'))
  Object.assign(process.env, {
    STORAGE: 'dashboard-sled',
    SLED_PATH: data,
    HOST: host,
    PORT: String(port),
    GENERATE_SITEMAP_TXT: 'false',
    GENERATE_API_TXT: 'false',
    GENERATE_ENV_TXT: 'false'
  })
  // The host drops its index.html pages where the current folder has an index.js.
  process.chdir(application)
  subscribe('http.server.request.start', (request) => { server = request.server })
  dashboard = await require(path.join(application, 'main.js'))
  const address = `http://${host}:${port}`
  console.log(`
Dashboard runs on ${address}
Its data lies in ${data}
To begin, register at ${address}/account/register: the first account becomes the owner and administrator
Then open ${address}/administrator
Ctrl-C stops it`)
}

async function readAddress () {
  const host = process.env.HOST || 'localhost'
  const text = process.env.PORT || '8000'
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw plain(`PORT: ${text} is not a whole number from 1 to 65535`)
  }
  // Before the long work, and because the host opens its store before its port.
  const probe = net.createServer().listen(port, host)
  try {
    await once(probe, 'listening')
  } catch (error) {
    const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code})`
    throw plain(`PORT: ${port} on ${host} ${reason}; choose another, for example PORT=${port === 8001 ? 8002 : 8001}`)
  }
  await new Promise((resolve) => probe.close(resolve))
  return { host, port }
}

// npm writes its own copy of the lock file last.
function needsInstall (folder) {
  return changed(path.join(folder, 'node_modules', '.package-lock.json')) < changed(path.join(folder, 'package-lock.json'))
}

function needsBuild () {
  const binaries = fs.readdirSync(root).filter((file) => file.endsWith('.node')).map((file) => path.join(root, file))
  const sources = ['Cargo.toml', 'Cargo.lock', 'build.rs'].map((file) => path.join(root, file))
  const newest = (files) => Math.max(0, ...files.map(changed))
  return newest(binaries) < newest([...sources, ...rustFiles(path.join(root, 'src'))])
}

function rustFiles (folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? rustFiles(file) : file.endsWith('.rs') ? [file] : []
  })
}

function changed (file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  return stat ? stat.mtimeMs : 0
}

async function work (title, folder, args) {
  console.log(`${title} (npm ${args.join(' ')} in ${path.relative(process.cwd(), folder) || '.'}) ...`)
  child = spawn('npm', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
  const [status] = await once(child, 'close')
  child = undefined
  if (status !== 0) {
    throw plain(`npm ${args.join(' ')} failed in ${folder}, see above`)
  }
}

// Ctrl-C comes twice under npm, which passes on what the terminal has sent to all.
async function stop () {
  if (stopping) {
    return
  }
  stopping = true
  setTimeout(() => process.exit(1), limitMs)
  if (child) {
    child.kill()
    process.exit(1)
  }
  if (dashboard) {
    dashboard.stop()
    await closeRequests()
    await dashboard.Storage.close()
    console.log('\nStopped; the next start finds the data')
  }
  process.exit(0)
}

// Lets requests in progress end, and closes idle connections, which a browser would keep open for long.
async function closeRequests () {
  if (server) {
    const closed = once(server, 'close')
    const grace = new Promise((resolve) => setTimeout(resolve, graceMs))
    server.closeIdleConnections()
    await Promise.race([closed, grace])
  }
}

// An error that its message explains in full.
function plain (message) {
  return Object.assign(new Error(message), { detail: message })
}

process.on('SIGINT', stop)
process.on('SIGTERM', stop)
main().catch((error) => {
  console.error(error.detail || error)
  process.exit(1)
})
