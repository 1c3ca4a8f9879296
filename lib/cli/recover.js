const fs = require('fs')
const path = require('path')
const addon = require('../../index.js')
const EntryCounts = require('../entry-counts.js')
const { failure } = require('../errors.js')
const { databaseName } = require('../native.js')
const { countAccounts } = require('./accounts.js')
const { confirm } = require('./confirm.js')
const { Damage } = require('./damage.js')
const { countText } = require('./numbers.js')
const { withProgress } = require('./progress.js')
const { ended, folderOf, optionsOf, requireFolder, run, withStore } = require('./run.js')

module.exports = (program) => program.command('recover')
  .description('accepts a store that has gone back in time, or saves the readable part of a damaged one')
  .option('--invalidate-sessions', 'end every session of every account, so that no session that was ended comes back')
  .option('--even-if-whole', 'also accept a store that has not gone back in time; always so for a database, which does not say whether it has')
  .option('--salvage <folder>', 'copy everything that can be read into a new store in this folder, end its sessions, and name what was lost. The damaged store is kept as it is')
  .option('--dry-run', 'only report what would happen')
  .option('--yes', 'do not ask; --salvage never does')
  .action(run((place, _, options) => options.salvage ? salvage(folderOf(place, 'salvage'), path.resolve(options.salvage), options) : accept(place, options)))

async function accept (place, options) {
  const { invalidateSessions, evenIfWhole, dryRun } = options
  const name = place.url ? databaseName(place.url) : place.folder
  if (dryRun && invalidateSessions) {
    return tryOut(place, name, evenIfWhole)
  }
  if (invalidateSessions) {
    await confirm(options, `the store in ${name} is accepted as it is, and every session of every account is ended`)
  }
  const report = await addon.recover({ ...optionsOf(place), invalidateSessions, evenIfWhole })
  return { report, text: [...ended(report), `the store in ${name} can be used again`] }
}

async function tryOut (place, name, evenIfWhole) {
  try {
    const accounts = await withStore(place, (store) => {
      if (!evenIfWhole && !place.url) {
        throw failure('store-whole', 'ERR_STORE_WHOLE', `the store at ${name} has not gone back in time, so there is nothing to recover from; --even-if-whole ends every session all the same`)
      }
      return countAccounts(store)
    })
    return { report: { dryRun: true, wentBack: place.url ? null : false, accounts }, text: [...(place.url ? [] : [`the store in ${name} has not gone back in time`]), `every session of ${countText(accounts, 'account')} would be ended`] }
  } catch (error) {
    if (error.code !== 'ERR_STORE_ROLLED_BACK') {
      throw error
    }
    return { report: { dryRun: true, wentBack: true, accounts: null }, text: [error.detail, 'the store would be accepted as it is, and every session of every account ended'] }
  }
}

async function salvage (from, to, options) {
  requireFolder(to, 'store-foreign-folder', 'ERR_STORE_FOREIGN', 'choose a new or an empty folder')
  if (fs.existsSync(to) && fs.readdirSync(to).length) {
    throw failure('store-foreign-folder', 'ERR_STORE_FOREIGN', `${to} is not empty; choose a new or an empty folder`)
  }
  const { dryRun } = options
  const damage = new Damage()
  const { records, lists, items } = await withStore({ folder: from }, (store) => copyReadable(store, to, damage, options))
  const report = dryRun ? undefined : await addon.recover({ path: to, invalidateSessions: true, evenIfWhole: true })
  const { damaged, described } = damage.report
  return {
    code: damage.code,
    report: { ...(dryRun ? { dryRun } : {}), records, lists, items, ended: report, damaged, described },
    text: [
      `${countText(records, 'record')} and ${countText(lists, 'list')} with ${countText(items, 'item')} ${dryRun ? 'would be' : 'were'} brought over to ${to}`,
      ...(dryRun ? [] : ended(report)),
      ...described,
      damaged ? `${countText(damaged, 'time')} something ${dryRun ? 'would be' : 'was'} lost, as said above` : `nothing ${dryRun ? 'would be' : 'was'} lost`
    ]
  }
}

// Copies the entries that can be read into a new store, or with --dry-run only counts them.
async function copyReadable (store, to, damage, options) {
  let read = 0
  const entries = async function * () {
    for await (const entry of store.entries({ onDamage: (damaged) => damage.add(damaged) })) {
      read++
      yield entry
    }
  }
  return withProgress(options, { value: () => read, unit: 'records and parts of lists' },
    () => options.dryRun ? EntryCounts.of(entries()) : withStore({ folder: to }, (target) => target.load(entries()), { create: true }))
}
