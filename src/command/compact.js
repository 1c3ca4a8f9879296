const { run, showBytes, withStore } = require('./run.js')
const { bytesText } = require('./text.js')

module.exports = (program) => program.command('compact')
  .description('rewrites the store into fresh files, since they never shrink; needs room for both beside each other')
  .action(run((folder, _, options) => withStore(folder, async (store) => {
    const end = showBytes(options)
    const report = await store.compact().finally(end)
    return { report, text: [`${bytesText(report.before)} → ${bytesText(report.after)}`] }
  })))
