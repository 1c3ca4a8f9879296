// A folder in which the commands of a document are run: an application of the real Dashboard, with stand-ins for what a
// test cannot have.
const assert = require('assert')
const { spawn } = require('child_process')
const fs = require('fs')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { makeApplication } = require('../contract/make-application.js')
const { makeFolder, variables } = require('../helper.js')

const cleared = [...variables, 'REDIS_URL', 'STORAGE', 'STORAGE_PATH']
const user = { username: 'a-username', password: 'a-password' }

module.exports = { makePlace }

async function makePlace () {
  const folder = fs.realpathSync(makeFolder())
  const application = path.join(folder, 'application')
  const state = path.join(folder, 'state')
  const standIns = {
    '/var/lib/dashboard': state,
    '/backup/': path.join(folder, 'backup/'),
    'backup-host:': path.join(folder, 'backup-host/'),
    // The other machine is another store on this one.
    'ssh other ': `env SLED_PATH=${path.join(folder, 'other')} `,
    '/usr/bin/node': process.execPath,
    '/srv/dashboard': application,
    '/etc/dashboard.env': path.join(folder, 'dashboard.env'),
    '/etc/systemd/system/dashboard.service': path.join(folder, 'dashboard.service')
  }
  for (const made of [application, state, path.join(state, 'backups'), path.join(folder, 'backup-host')]) {
    fs.mkdirSync(made)
  }
  makeApplication(application, ['dashboard-sled'])
  const main = path.join(application, 'main.js')
  fs.copyFileSync(path.join(__dirname, '..', '..', 'examples', 'dashboard', 'main.js'), main)
  const env = { ...process.env, BCRYPT_WORKLOAD_FACTOR: '4', PORT: String(await freePort()) }
  for (const name of ['SITEMAP', 'API', 'ENV']) {
    env[`GENERATE_${name}_TXT`] = 'false'
  }
  cleared.forEach((name) => delete env[name])
  const children = []

  function withStandIns (text) {
    return Object.entries(standIns).reduce((all, [name, standIn]) => all.replaceAll(name, standIn), text)
  }

  function start (command) {
    const child = spawn('bash', ['-c', withStandIns(command)], { cwd: application, env, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => { said.stdout += data })
    child.stderr.on('data', (data) => { said.stderr += data })
    const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, ...said })))
    return { child, said, ended }
  }

  return {
    application,
    folder,
    main,
    standIns,
    state,
    withStandIns,
    run: (command) => start(command).ended,
    // Starts the dashboard, registers its owner if it has none, and signs in. It is up when that has worked.
    serve: async (command) => {
      const server = start(command)
      if (!await retry(server, signIn)) {
        await post('register', { ...user, confirm: user.password })
        assert(await signIn())
      }
      return server
    },
    remove: () => {
      children.forEach((child) => child.kill('SIGKILL'))
      fs.rmSync(folder, { recursive: true })
    }
  }

  async function signIn () {
    const { headers } = await post('signin', user)
    return /sessionid=session_/.test(headers.get('set-cookie'))
  }

  function post (page, form) {
    return fetch(`http://localhost:${env.PORT}/account/${page}`, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  }
}

async function retry ({ child, said }, work) {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      assert(child.exitCode === null, said.stdout + said.stderr)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
