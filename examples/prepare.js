// Prepares an example: installs packages, builds the addon unless the binary is newer than the source, and looks for a free port.
const { spawn, spawnSync } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const net = require('net')
const path = require('path')

const root = path.join(__dirname, '..')
const application = path.join(__dirname, 'dashboard')
const installFlags = ['--ignore-scripts', '--no-audit', '--no-fund']

let child

module.exports = { application, plain, prepare, readAddress, requireFree, stopPreparing }

async function prepare () {
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
}

// Ends what `prepare` is waiting for. Returns whether there was something.
function stopPreparing () {
  return Boolean(child && child.kill())
}

function readAddress () {
  const host = process.env.HOST || 'localhost'
  const text = process.env.PORT || '8000'
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw plain(`PORT: ${text} is not a whole number from 1 to 65535`)
  }
  return { host, port }
}

async function requireFree (host, port) {
  const probe = net.createServer().listen(port, host)
  try {
    await once(probe, 'listening')
  } catch (error) {
    const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code})`
    throw plain(`PORT: ${port} on ${host} ${reason}; choose another, for example PORT=${port === 8001 ? 8002 : 8001}`)
  }
  await new Promise((resolve) => probe.close(resolve))
}

// An error that its message explains in full.
function plain (message) {
  return Object.assign(new Error(message), { detail: message })
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
