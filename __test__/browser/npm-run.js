// `npm start` and `npm run start:cluster` as a person runs them, in a process group of its own: what npm starts can be killed
// with it.
const { spawn } = require('child_process')
const { once } = require('events')
const path = require('path')

const root = path.join(__dirname, '..', '..')

module.exports = { npmRun }

// Resolves when it has said where it runs; the first time that is after an installation and perhaps a build.
async function npmRun (script, env) {
  const npm = spawn('npm', ['run', script], {
    cwd: root,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  // The server writes to the same pipes: when they are closed it is gone as well.
  const closed = once(npm, 'close')
  // Nothing of it outlives this process, however that ends.
  process.once('exit', killGroup)
  let said = ''
  let gone = false
  await new Promise((resolve, reject) => {
    for (const stream of [npm.stdout, npm.stderr]) {
      stream.on('data', (data) => {
        said += data
        if (/\nCtrl-C stops (all of )?it\n$/.test(said)) {
          resolve()
        }
      })
    }
    closed.then(() => {
      gone = true
      reject(new Error(`npm run ${script} has ended: ${said}`))
    }, reject)
  })
  return { kill, stop }

  // kill -9 for npm and the server at once.
  async function kill () {
    killGroup()
    await closed
  }

  // Stops it as a supervisor does that knows only npm.
  async function stop () {
    npm.kill('SIGTERM')
    const [code] = await once(npm, 'exit')
    return { code, said }
  }

  function killGroup () {
    if (gone) {
      return
    }
    try {
      process.kill(-npm.pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') {
        throw error
      }
    }
  }
}
