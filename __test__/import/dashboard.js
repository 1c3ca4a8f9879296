// The real Dashboard on an engine of the host's, in a process and an application of its own.
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { freePort } = require('../contract/free-port.js')
const { makeApplication } = require('../contract/make-application.js')
const { runNode } = require('../helper.js')

// How an engine is chosen, and how it is told where its data is.
const engines = {
  files: { STORAGE: '', place: 'STORAGE_PATH' },
  redis: { STORAGE: '@userdashboard/storage-redis', place: 'REDIS_URL' },
  mysql: { STORAGE: '@userdashboard/storage-mysql', place: 'DATABASE_URL' },
  postgresql: { STORAGE: '../storage-postgresql', place: 'DATABASE_URL' },
  sled: { STORAGE: 'dashboard-sled', place: 'SLED_PATH' }
}

module.exports = { applicationOf, runDashboard }

// Resolves to the answer of a step of fixtures/import-source.js.
async function runDashboard (folder, engine, place, step, argument = {}, env = {}) {
  const application = applicationOf(folder, engine)
  const { STORAGE, place: setting } = engines[engine]
  const { child, ended } = runNode('import-source.js', {
    args: [step, JSON.stringify(argument)],
    cwd: application,
    env: {
      APPLICATION: application,
      STORAGE,
      [setting]: place,
      PORT: String(await freePort()),
      BCRYPT_WORKLOAD_FACTOR: '4',
      GENERATE_SITEMAP_TXT: 'false',
      GENERATE_API_TXT: 'false',
      GENERATE_ENV_TXT: 'false',
      ...env
    }
  })
  let answer
  child.on('message', (message) => { answer = message })
  const { stdout, stderr } = await ended
  assert(answer, `${engine}: ${step} failed\n${stdout}${stderr}`)
  return answer
}

// The application's folder within another; it is made once.
function applicationOf (folder, engine) {
  const application = path.join(folder, `application-${engine}`)
  if (!fs.existsSync(application)) {
    fs.mkdirSync(application)
    makeApplication(application, engine === 'sled' ? ['dashboard-sled'] : [])
    fs.symlinkSync(path.join(__dirname, 'storage-postgresql'), path.join(application, 'storage-postgresql'))
  }
  return application
}
