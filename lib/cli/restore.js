const path = require('path')
const addon = require('../../index.js')
const { refuseSame } = require('../folders.js')
const { countAccounts } = require('./accounts.js')
const { confirm } = require('./confirm.js')
const { exitCodes } = require('./exit-codes.js')
const { bytesText, countText } = require('./numbers.js')
const { withBytes } = require('./progress.js')
const { ended, folderOf, holds, requireFolder, run, withStore } = require('./run.js')

module.exports = (program) => program.command('restore')
  .description('puts a backup in place of the store, which is kept within its folder, and ends every session')
  .argument('<folder>', 'the backup')
  .option('--keep-sessions', 'let the sessions of the backup stay valid, including those that were ended since')
  .option('--dry-run', 'only report what would happen')
  .option('--yes', 'do not ask')
  .action(run(restore))

async function restore (place, [argument], options) {
  const folder = folderOf(place, 'restore')
  const backup = path.resolve(argument)
  requireFolder(backup, 'store-missing', 'ERR_STORE_MISSING', 'name the folder of the backup')
  await refuseSame(backup, folder)
  if (options.dryRun) {
    return tryOut(folder, backup, options)
  }
  await confirm(options, `the backup in ${backup} takes the place of the store in ${folder}${options.keepSessions ? '' : ', and every session is ended'}`)
  const report = await withBytes(options, () => addon.restore({ path: folder, folder: backup, keepSessions: options.keepSessions }))
  return {
    report,
    text: [
      holds(report.backup),
      ...ended(report.ended, ({ accounts }) => accounts === 1 ? 'its record differs from that of the backup' : 'their records differ from those of the backup'),
      `the store takes ${bytesText(report.diskBytes)} on the disk`,
      report.replaced ? `the store that was there is kept in ${report.replaced}, with ${bytesText(report.replacedBytes)}` : 'there was no store before'
    ]
  }
}

// Reads the backup as a restore does, and writes nothing.
async function tryOut (folder, backup, options) {
  const { report, accounts } = await withBytes(options, () => withStore({ folder: backup }, async (store) => ({
    report: await store.verify(),
    accounts: options.keepSessions ? null : await countAccounts(store)
  })))
  const replaces = await isStore(folder)
  const text = report.problems
    ? [...report.described, `the backup would be refused: it has ${countText(report.problems, 'problem')}`]
    : [
        accounts === null ? 'the sessions of the backup would stay valid' : `every session of ${countText(accounts, 'account')} would be ended`,
        replaces ? `the store in ${folder} would be replaced, and kept within that folder` : 'there is no store that would be replaced'
      ]
  return {
    code: report.problems ? exitCodes.found.code : exitCodes.done.code,
    report: { dryRun: true, backup: report, accounts, replaces },
    text: [holds(report), ...text]
  }
}

// A damaged store can be replaced; a store that another process has open cannot.
async function isStore (folder) {
  try {
    await withStore({ folder }, () => {})
  } catch (error) {
    if (['ERR_STORE_LOCKED', 'ERR_STORE_FOREIGN', 'ERR_STORE_PERMISSION'].includes(error.code)) {
      throw error
    }
    return error.code !== 'ERR_STORE_MISSING'
  }
  return true
}
