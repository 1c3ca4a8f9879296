const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const { Damage } = require('./damage.js')
const { ended, failure, run, showProgress, withStore } = require('./run.js')

module.exports = (program) => program.command('recover')
  .description('accepts a store that has gone back in time, or saves what can be read of a damaged one')
  .option('--invalidate-sessions', 'end every session of every account, so that none that was ended lives again')
  .option('--even-if-whole', 'also of a store that has not gone back in time')
  .option('--salvage <folder>', 'copy everything that can be read into a new store in this folder, end its sessions, and name what was lost. The damaged store is kept as it is')
  .action(run((folder, _, options) => options.salvage ? salvage(folder, path.resolve(options.salvage), options) : accept(folder, options)))

async function accept (folder, { invalidateSessions, evenIfWhole }) {
  const report = await addon.recover({ path: folder, invalidateSessions, evenIfWhole })
  return { report, text: [...ended(report), `the store in ${folder} can be used again`] }
}

async function salvage (from, to, options) {
  if (fs.existsSync(to) && fs.readdirSync(to).length) {
    throw failure('store-foreign-folder', 'ERR_STORE_FOREIGN', `${to} is not empty; choose an empty or a new folder`)
  }
  const damage = new Damage()
  let counts
  let read = 0
  await withStore(from, async (store) => {
    const end = showProgress(options, () => read, 'records and parts of lists')
    const entries = async function * () {
      for await (const entry of store.entries({ onDamage: (damaged) => damage.add(damaged) })) {
        read++
        yield entry
      }
    }
    counts = await withStore(to, (target) => target.load(entries()), { create: true }).finally(end)
  })
  const report = await addon.recover({ path: to, invalidateSessions: true, evenIfWhole: true })
  const { records, lists, items } = counts
  const { damaged, described } = damage.report
  return {
    code: damage.code,
    report: { records, lists, items, ended: report, ...damage.report },
    text: [
      `${records} records and ${lists} lists with ${items} items were brought over to ${to}`,
      ...ended(report),
      ...described,
      damaged ? `${damaged} times something was lost, as said above` : 'nothing was lost'
    ]
  }
}
