const path = require('path')
const { holds, requireFolder, run, showBytes, withStore } = require('./run.js')
const { wholeNumber } = require('./whole-number.js')

module.exports = (program) => program.command('backup')
  .description('copies the store into a new or an empty folder, and reads the copy to check it')
  .argument('<folder>', 'where to; with --keep the folder of all backups')
  .option('--keep <number>', 'make a folder with the date within <folder>, and remove the oldest ones beyond this many once the new one is whole', wholeNumber(1))
  .action(run((folder, [target], options) => withStore(folder, async (store) => {
    requireFolder(path.resolve(target), 'store-foreign-folder', 'ERR_STORE_FOREIGN', 'choose a new or an empty folder')
    const end = showBytes(options)
    const { keep } = options
    const report = await store.backup(path.resolve(target), { keep }).finally(end)
    return {
      report,
      text: [holds(report), `the backup in ${keep ? report.folder : target} was read and is whole`, ...report.removed.map((name) => `removed ${name}`)]
    }
  })))
