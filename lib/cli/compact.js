const { run, showBytes, withStore } = require('./run.js')
const { bytesText } = require('./numbers.js')

module.exports = (program) => program.command('compact')
  .description('rewrites the store into fresh files, since files never shrink; it needs room for the old and the new files')
  .action(run((folder, _, options) => withStore(folder, async (store) => {
    const end = showBytes(options)
    const report = await store.compact().finally(end)
    return { report, text: [`${bytesText(report.before)} → ${bytesText(report.after)}`] }
  })))
