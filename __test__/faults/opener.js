// Has one thing after the other done by another process, and notices when that one crashes or hangs.
const { fork } = require('child_process')
const { once } = require('events')
const path = require('path')

const LIMIT = 120000

module.exports = { makeOpener }

// By default stores are opened and checked, and `ask` resolves to what `check` of check.js found. After a crash and a
// hang, which are wrong, the next question gets a new process.
function makeOpener (fixture = 'open-many.js', env = {}) {
  let child
  let answered
  const next = () => new Promise((resolve) => {
    const timer = setTimeout(() => {
      child && child.kill('SIGKILL')
      answered(broken(`HANG: no answer in ${LIMIT} ms`))
    }, LIMIT)
    answered = (message) => {
      clearTimeout(timer)
      answered = () => {}
      resolve(message)
    }
  })
  const start = async () => {
    const own = fork(path.join(__dirname, 'fixtures', fixture), { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], env: { ...process.env, NODE_ENV: 'testing', ...env } })
    let stderr = ''
    // Only the end is of interest: why it crashed.
    own.stderr.on('data', (data) => { stderr = (stderr + data).slice(-4000) })
    own.on('message', (message) => child === own && answered(message))
    own.on('error', (error) => child === own && answered(broken(`CRASH: ${error.message}`)))
    own.on('close', (code, signal) => {
      if (child === own) {
        child = undefined
        answered(broken(`CRASH: ${signal || code} ${stderr}`))
      }
    })
    child = own
    return next()
  }
  return {
    ask: async (asked) => {
      if (!child) {
        const started = await start()
        if (started !== 'ready') {
          return started
        }
      }
      const answer = next()
      child.send(asked)
      return answer
    },
    // Resolves when it is gone, and its locks with it.
    close: async () => {
      const own = child
      child = undefined
      if (own) {
        const gone = once(own, 'close')
        own.kill('SIGKILL')
        await gone
      }
    }
  }
}

function broken (what) {
  return { broken: true, opened: false, codes: [], wrong: [what] }
}
