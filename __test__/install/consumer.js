// The machine of a user: Node and npm, an empty folder, and nothing that compiles.
const assert = require('assert')
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { run } = require('./run-command.js')
const { withoutNpmSettings } = require('./registry.js')

const compilers = ['c++', 'cargo', 'cc', 'clang', 'cmake', 'g++', 'gcc', 'make', 'node-gyp', 'python', 'python3', 'rustc', 'zig']
const user = { username: 'a-username', password: 'a-password' }

module.exports = { makeConsumer }

async function makeConsumer (folder, settings) {
  const application = path.join(folder, 'application')
  const env = { ...withoutNpmSettings(), ...settings, HOME: folder, PATH: await linkPrograms(path.join(folder, 'bin')) }
  fs.mkdirSync(application)
  fs.writeFileSync(path.join(application, 'package.json'), JSON.stringify({ name: 'application', private: true }))
  const inApplication = (command, ...args) => run(command, args, { cwd: application, env })
  for (const compiler of compilers) {
    await assert.rejects(inApplication('sh', '-c', `command -v ${compiler}`), `${compiler} is on the PATH of the test`)
  }
  return {
    application,
    run: inApplication,
    // The packages of this project that npm has installed.
    installed: () => fs.readdirSync(path.join(application, 'node_modules')).filter((name) => name.startsWith('dashboard-sled')),
    startDashboard: (store) => startDashboard(application, { ...env, SLED_PATH: store })
  }
}

// The programs that npm itself needs, alone in a folder.
async function linkPrograms (folder) {
  fs.mkdirSync(folder)
  const where = async (name) => fs.realpathSync((await run('sh', ['-c', `command -v ${name}`])).trim())
  const programs = { node: process.execPath, npm: await where('npm'), npx: await where('npx'), sh: await where('sh') }
  for (const [name, program] of Object.entries(programs)) {
    fs.symlinkSync(program, path.join(folder, name))
  }
  return folder
}

async function startDashboard (application, env) {
  const port = await freePort()
  const child = spawn('node', ['main.js'], {
    cwd: application,
    env: { ...env, GENERATE_API_TXT: 'false', GENERATE_ENV_TXT: 'false', GENERATE_SITEMAP_TXT: 'false', PORT: String(port), STORAGE: 'dashboard-sled' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const said = await new Promise((resolve, reject) => {
    let output = ''
    const listen = (data) => {
      output += data
      if (output.includes('our module\n')) {
        resolve(output)
      }
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    ended.then(() => reject(new Error(`the dashboard has ended:\n${output}`)))
  })
  const url = `http://localhost:${port}`
  return {
    said,
    get: (page, cookie = '') => fetch(url + page, { headers: { cookie }, redirect: 'manual' }),
    post: (page, form) => fetch(url + page, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' }),
    stop: () => child.kill() && ended,
    user
  }
}
