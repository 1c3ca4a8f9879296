const path = require('path')
const addon = require('../../index.js')
const { ended, holds, run, showBytes } = require('./run.js')

module.exports = (program) => program.command('restore')
  .description('puts a backup in place of the store, which is kept within its folder, and ends every session')
  .argument('<folder>', 'the backup')
  .option('--keep-sessions', 'let the sessions of the backup live on, those that were ended since included')
  .action(run(async (folder, [backup], options) => {
    const end = showBytes(options)
    const report = await addon.restore({ path: folder, folder: path.resolve(backup), keepSessions: options.keepSessions }).finally(end)
    return {
      report,
      text: [holds(report.backup), ...ended(report.ended), `the store takes ${report.diskBytes} bytes on the disk`, report.replaced ? `the store that was there is kept in ${report.replaced}, with ${report.replacedBytes} bytes` : 'there was no store before']
    }
  }))
