const { bytesText } = require('./numbers.js')
const { run, withStore } = require('./run.js')

module.exports = (program) => program.command('remove-replaced')
  .description('removes the stores that restores have replaced, which are kept within the folder of the store')
  .action(run(removeReplaced))

async function removeReplaced (place) {
  return withStore(place, async (store) => {
    const report = await store.removeReplaced()
    return { report, text: [...report.removed.map((path) => `removed ${path}`), `${bytesText(report.bytes)} were removed`] }
  })
}
