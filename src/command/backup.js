const path = require('path')
const { holds, run, showBytes, withStore } = require('./run.js')

module.exports = (program) => program.command('backup')
  .description('copies the store into an empty folder, and reads the copy')
  .argument('<folder>', 'where to')
  .action(run((folder, [target], options) => withStore(folder, async (store) => {
    const end = showBytes(options)
    const report = await store.backup(path.resolve(target)).finally(end)
    return { report, text: [holds(report), `the backup in ${target} was read and is whole`] }
  })))
