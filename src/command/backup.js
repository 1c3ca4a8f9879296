const path = require('path')
const { holds, requireFolder, run, showBytes, withStore } = require('./run.js')

module.exports = (program) => program.command('backup')
  .description('copies the store into a new or an empty folder, and reads the copy to check it')
  .argument('<folder>', 'where to')
  .action(run((folder, [target], options) => withStore(folder, async (store) => {
    requireFolder(path.resolve(target), 'store-foreign-folder', 'ERR_STORE_FOREIGN', 'choose a new or an empty folder')
    const end = showBytes(options)
    const report = await store.backup(path.resolve(target)).finally(end)
    return { report, text: [holds(report), `the backup in ${target} was read and is whole`] }
  })))
