// A real Dashboard with this module, in a process of its own.
const fs = require('fs')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { makeApplication } = require('../contract/make-application.js')
const { makeFolder, runNode } = require('../helper.js')

module.exports = { serve }

// Starts it on the store in `store`, and returns its process, and a function that has it do a step.
async function serve (store, { env = {}, before = () => {} } = {}) {
  const folder = makeFolder()
  makeApplication(folder, ['dashboard-sled'])
  const { child, ended } = runNode('serving-dashboard.js', {
    env: {
      ALLOW_PUBLIC_API: 'true',
      APPLICATION: folder,
      BCRYPT_WORKLOAD_FACTOR: '4',
      GENERATE_API_TXT: 'false',
      GENERATE_ENV_TXT: 'false',
      GENERATE_SITEMAP_TXT: 'false',
      PORT: String(await freePort()),
      SLED_PATH: store,
      STORAGE: 'dashboard-sled',
      ...env
    }
  })
  const warnings = []
  child.on('message', ({ warning }) => warning && warnings.push(warning))
  before(child)
  const step = (name, rest) => new Promise((resolve, reject) => {
    const answered = ({ step, result }) => {
      if (step === name) {
        child.off('message', answered)
        resolve(result)
      }
    }
    child.on('message', answered)
    ended.then(({ stderr }) => reject(new Error(`the dashboard has ended: ${stderr}`)))
    rest && child.send({ step: name, ...rest })
  })
  await step('start')
  ended.then(() => fs.rmSync(folder, { recursive: true }))
  return { child, ended, step, warnings, socket: path.join(store, 'control') }
}
