const path = require('path')
const { withBytes } = require('./progress.js')
const { holds, requireFolder, run, withStore } = require('./run.js')
const { wholeNumber } = require('./whole-number.js')

module.exports = (program) => program.command('backup')
  .description('copies the store into a new or an empty folder, and reads the copy to check it')
  .argument('<folder>', 'the folder of the backup; with --keep the folder of all backups')
  .option('--keep <number>', 'make a folder with the date within <folder>, and once the new backup is verified, remove the oldest ones beyond this many', wholeNumber(1))
  .action(run(backup))

async function backup (place, [argument], options) {
  const target = path.resolve(argument)
  return withStore(place, async (store) => {
    requireFolder(target, 'store-foreign-folder', 'ERR_STORE_FOREIGN', 'choose a new or an empty folder')
    const report = await withBytes(options, () => store.backup(target, { keep: options.keep }))
    const made = options.keep ? report.folder : argument
    return {
      report,
      text: [holds(report), `backup written to ${made} and verified`, ...report.removed.map((name) => `removed ${name}`)]
    }
  })
}
