const path = require('path')
const { GUARD, SLED, hasFiles } = require('../store-files.js')
const { withOperations } = require('./perform.js')
const { holds, requireFolder, run } = require('./run.js')
const { wholeNumber } = require('./whole-number.js')

module.exports = (program) => program.command('backup')
  .description('copies the store into a new or an empty folder, and reads the copy to check it')
  .argument('<folder>', 'the folder of the backup; with --keep the folder of all backups')
  .option('--keep <number>', 'make a folder with the date within <folder>, and once the new backup is verified, remove the oldest ones beyond this many', wholeNumber(1))
  .action(run(backup))

async function backup (place, [argument], options) {
  const target = path.resolve(argument)
  return withOperations(place, options, async (perform) => {
    requireFolder(target, 'store-foreign-folder', 'ERR_STORE_FOREIGN', 'choose a new or an empty folder')
    const report = await perform('backup', { folder: target, keep: options.keep })
    const made = options.keep ? report.folder : argument
    return {
      report,
      text: [holds(report), `backup written to ${made} and verified`, ...report.removed.map((name) => `removed ${name}`)],
      summary: await hasFiles(report.folder, [GUARD, SLED]) ? [] : [`${report.folder} is not there for this process: the dashboard runs in a container or with a file system of its own, and wrote the backup there`]
    }
  })
}
