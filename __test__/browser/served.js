// A Dashboard on the binary that was built last, in a process of its own.
const { fork } = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('../contract/make-application.js')
const { freePort } = require('../contract/free-port.js')

module.exports = { serve }

// Resolves to its address, and a function that ends it.
async function serve (folder, settings = {}) {
  const application = path.join(folder, 'application')
  fs.mkdirSync(application)
  makeApplication(application, ['dashboard-sled'], 'Example dashboard')
  const port = await freePort()
  const child = fork(path.join(__dirname, '..', 'fixtures', 'serve.js'), {
    env: {
      ...process.env,
      APPLICATION: application,
      STORAGE: 'dashboard-sled',
      SLED_PATH: path.join(folder, 'store'),
      HOST: 'localhost',
      PORT: String(port),
      GENERATE_SITEMAP_TXT: 'false',
      GENERATE_API_TXT: 'false',
      GENERATE_ENV_TXT: 'false',
      ...settings
    }
  })
  const ended = once(child, 'exit')
  const [message] = await Promise.race([once(child, 'message'), ended])
  if (message !== 'started') {
    throw new Error('the dashboard did not start')
  }
  return {
    address: `http://localhost:${port}`,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    }
  }
}
