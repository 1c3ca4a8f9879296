const path = require('path')
const EntryCounts = require('../entry-counts.js')
const { exportLines } = require('../export-format.js')
const { Damage } = require('./damage.js')
const { isStandardOutput, writeFile, writeStandardOutput } = require('./output.js')
const { failure, run, showProgress, withStore } = require('./run.js')

module.exports = (program) => program.command('export')
  .description('writes everything as lines of JSON: secrets included, so keep it as safe as the store')
  .argument('[store]', 'the folder of the store, instead of --store')
  .option('--output <file>', 'where to, instead of the standard output; a regular file is replaced once the export is complete')
  .action(run((folder, _, options, toStderr) => withStore(folder, async (store) => {
    const counts = new EntryCounts()
    const damage = new Damage()
    const entries = store.entries({ onDamage: (damaged) => damage.add(damaged) })
    const file = findFile(options)
    if (!file) {
      toStderr()
    }
    const end = showProgress(options, () => counts.records + counts.items, 'records and items')
    const lines = exportLines(entries, counts)
    await (file ? writeFile(file, lines) : writeStandardOutput(lines)).finally(end)
    const { records, lists, items } = counts
    return {
      code: damage.code,
      report: { records, lists, items, ...damage.report },
      text: [`${records} records and ${lists} lists with ${items} items were exported${options.output ? ` to ${options.output}` : ''}`, ...damage.text]
    }
  })))

function findFile ({ output }) {
  if (output === undefined) {
    return undefined
  }
  if (!output) {
    throw failure('invalid-output', 'ERR_USAGE', 'the name behind --output is empty; name a file')
  }
  const file = path.resolve(output)
  return isStandardOutput(file) ? undefined : file
}
