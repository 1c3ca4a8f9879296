// Installs on first use what the benchmark needs beside the package, and knows what cannot be had.
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { buildLimit } = require('./limit.js')
const { RedisServer } = require('./redis-server.js')
const { needsPeers, stores } = require('./stores.js')

const root = path.resolve(__dirname, '..')
const application = path.join(root, '__test__', 'contract', 'application')
const peers = path.join(__dirname, 'peers')
const sqlite = path.join(peers, 'node_modules', 'better-sqlite3')

module.exports = { install, makePlain }

// Of what is wanted, what cannot be had here, and why.
async function install ({ names, groups }) {
  const unavailable = {}
  await npmCi(application)
  const others = names.filter(needsPeers)
  if (!others.length && !groups.includes('http')) {
    return { charts: 'nothing of what draws them is needed otherwise' }
  }
  try {
    await npmCi(peers)
  } catch (error) {
    return Object.fromEntries([...others, 'http', 'charts'].map((name) => [name, makePlain(error)]))
  }
  if (names.includes('sqlite')) {
    try {
      await compileSqlite()
    } catch (error) {
      unavailable.sqlite = makePlain(error)
    }
  }
  if (names.includes('node-sqlite') && !stores['node-sqlite'].node()) {
    unavailable['node-sqlite'] = 'this Node has no node:sqlite, and npm had no other one for this system'
  }
  if (names.includes('limit') && groups.includes('patch')) {
    try {
      console.error('cargo bench --bench limit --no-run ...')
      await buildLimit()
    } catch (error) {
      unavailable.limit = makePlain(error)
    }
  }
  if (!RedisServer.version()) {
    names.filter((name) => stores[name]?.redis).forEach((name) => { unavailable[name] = 'redis-server is not installed' })
  }
  return unavailable
}

// npm writes its own copy of the lock file last.
function npmCi (folder) {
  const changed = (file) => fs.statSync(path.join(folder, file), { throwIfNoEntry: false })?.mtimeMs || 0
  if (changed(path.join('node_modules', '.package-lock.json')) < changed('package-lock.json')) {
    return npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
  }
}

// Its own install script would look for a binary elsewhere first. Headers of this Node often lie beside it; otherwise
// node-gyp fetches them.
function compileSqlite () {
  if (!fs.existsSync(path.join(sqlite, 'build', 'Release', 'better_sqlite3.node'))) {
    const prefix = path.join(path.dirname(process.execPath), '..')
    const hasHeaders = fs.existsSync(path.join(prefix, 'include', 'node', 'node.h'))
    return npm(['run', 'build-release'], sqlite, hasHeaders ? { npm_config_nodedir: prefix } : {})
  }
}

function npm (args, cwd, env = {}) {
  console.error(`npm ${args.join(' ')} in ${path.relative(root, cwd)} ...`)
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (data) => { said += data })
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) {
        return resolve()
      }
      const reasons = said.split('\n').filter((line) => /error|ERR!/.test(line)).map((line) => line.replace(/^(npm error|\w+ ERR!)\s*/, ''))
      reject(new Error(`npm ${args[0]} failed: ${reasons.filter(Boolean).slice(0, 3).join('; ')}`))
    })
  })
}

// One line that names neither a path of this machine nor where it installs from.
function makePlain (error) {
  const lines = error.message.split('\n').map((line) => line.trim()).filter(Boolean)
  const line = lines.find((line) => /error/i.test(line)) || lines[0]
  return line.replaceAll(root, '.').replace(/https?:\/\/\S+/g, '...').slice(0, 300)
}
