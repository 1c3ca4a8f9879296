// A real Dashboard with this module, in a process of its own.
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('../contract/make-application.js')
const { makeFolder, runNode } = require('../helper.js')
const { environmentOf } = require('./real-dashboard.js')

module.exports = { serve }

// Starts it on the store in `store`, and returns its process, and a function that has it do a step.
async function serve (store, { env = {}, before = () => {} } = {}) {
  const folder = makeFolder()
  makeApplication(folder, ['dashboard-sled'])
  const { child, ended } = runNode('serving-dashboard.js', {
    env: { ...await environmentOf(folder, store), ...env }
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
