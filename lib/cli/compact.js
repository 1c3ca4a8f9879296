const { bytesText } = require('./numbers.js')
const { withBytes } = require('./progress.js')
const { run, withStore } = require('./run.js')

module.exports = (program) => program.command('compact')
  .description('rewrites the store into fresh files, since files never shrink; it needs room for the old and the new files')
  .action(run(compact))

async function compact (place, _, options) {
  return withStore(place, async (store) => {
    const report = await withBytes(options, () => store.compact())
    return { report, text: [`${bytesText(report.before)} → ${bytesText(report.after)}`] }
  })
}
