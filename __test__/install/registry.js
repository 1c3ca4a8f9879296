// A registry on loopback: our packages are published to it as to the real one, all others come from behind it.
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { run } = require('./run-command.js')

const root = path.join(__dirname, '..', '..')
const verdaccio = path.join(__dirname, 'node_modules', 'verdaccio', 'bin', 'verdaccio')
const limitMs = 60000

module.exports = { fetchSize, publish, startRegistry, withoutNpmSettings }

async function startRegistry (folder) {
  const registry = (await run('npm', ['config', 'get', 'registry'], { cwd: root })).trim().split('\n').pop()
  const port = await freePort()
  const config = path.join(folder, 'verdaccio.yaml')
  fs.mkdirSync(folder)
  // JSON is YAML.
  fs.writeFileSync(config, JSON.stringify({
    storage: path.join(folder, 'storage'),
    auth: { htpasswd: { file: path.join(folder, 'htpasswd') } },
    uplinks: { registry: { url: registry } },
    packages: {
      'dashboard-sled*': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'registry' }
    },
    web: { enable: false },
    log: { type: 'stdout', format: 'pretty', level: 'warn' }
  }))
  const log = fs.openSync(path.join(folder, 'log'), 'w')
  const child = spawn(process.execPath, [verdaccio, '--config', config, '--listen', `127.0.0.1:${port}`], { stdio: ['ignore', log, log] })
  const url = `http://127.0.0.1:${port}`
  // npm publishes to no registry that it has no token for; this one takes any.
  const userconfig = path.join(folder, 'npmrc')
  fs.writeFileSync(userconfig, `//127.0.0.1:${port}/:_authToken=any\n`)
  const settings = {
    npm_config_audit: 'false',
    npm_config_cache: path.join(folder, 'cache'),
    npm_config_fund: 'false',
    npm_config_registry: url,
    npm_config_update_notifier: 'false',
    npm_config_userconfig: userconfig
  }
  try {
    await answered(`${url}/-/ping`, child)
  } catch (error) {
    child.kill()
    throw new Error(`verdaccio does not answer: ${error.message}\n${fs.readFileSync(path.join(folder, 'log'))}`)
  }
  return { settings, stop: () => child.kill(), url }
}

async function answered (url, child) {
  for (const end = Date.now() + limitMs; ;) {
    try {
      return await fetch(url)
    } catch (error) {
      if (Date.now() > end || child.exitCode !== null) {
        throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

// npm hands variables to the scripts that it runs, and they would win over the settings of a registry.
function withoutNpmSettings () {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
}

// The script of the release, on what git has, for the one platform that was built.
async function publish (checkout, artifacts, target, registry) {
  const files = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of files.split('\0').filter((file) => file && fs.existsSync(path.join(root, file)))) {
    fs.cpSync(path.join(root, file), path.join(checkout, file))
  }
  fs.cpSync(artifacts, path.join(checkout, 'artifacts'), { recursive: true })
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(checkout, 'node_modules'))
  const manifest = path.join(checkout, 'package.json')
  const content = JSON.parse(fs.readFileSync(manifest, 'utf8'))
  content.napi.targets = [target]
  fs.writeFileSync(manifest, JSON.stringify(content, null, 2))
  return run('npm', ['run', 'release'], { cwd: checkout, env: { ...withoutNpmSettings(), ...registry.settings } })
}

// The bytes that npm downloads for a package.
async function fetchSize (url) {
  const answer = await fetch(url)
  if (!answer.ok) {
    throw new Error(`${url} answers ${answer.status}`)
  }
  return (await answer.arrayBuffer()).byteLength
}
