const path = require('path')
const EntryCounts = require('../entry-counts.js')
const { failure } = require('../errors.js')
const { exportLines } = require('../export-format.js')
const { Damage } = require('./damage.js')
const { countText } = require('./numbers.js')
const { isStandardOutput, writeFile, writeStandardOutput } = require('./output.js')
const { withProgress } = require('./progress.js')
const { run, withStore } = require('./run.js')

module.exports = (program) => program.command('export')
  .description('writes everything as lines of JSON, including secrets: keep the file as safe as the store')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .option('--output <file>', 'write to this file instead of the standard output; a regular file is replaced once the export is complete')
  .action(run(exportStore))

async function exportStore (place, _, options, reportToStderr) {
  return withStore(place, async (store) => {
    const file = findFile(options)
    if (!file) {
      reportToStderr()
    }
    const counts = new EntryCounts()
    const damage = new Damage()
    const lines = exportLines(store.entries({ onDamage: (damaged) => damage.add(damaged) }), counts)
    await withProgress(options, { value: () => counts.records + counts.items, unit: 'records and items' }, () => file ? writeFile(file, lines) : writeStandardOutput(lines))
    const { records, lists, items } = counts
    return {
      code: damage.code,
      report: { records, lists, items, ...damage.report },
      text: [`${countText(records, 'record')} and ${countText(lists, 'list')} with ${countText(items, 'item')} were exported${options.output ? ` to ${options.output}` : ''}`, ...damage.text]
    }
  })
}

// Returns undefined for the standard output.
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
