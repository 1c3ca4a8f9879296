const { countText } = require('./numbers.js')
const { withOperations } = require('./perform.js')
const { run } = require('./run.js')
const { wholeNumber } = require('./whole-number.js')

module.exports = (program) => program.command('list')
  .description('shows one list, newest first')
  .argument('<path>', 'the path, like dashboard/accounts')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .option('--offset <number>', 'skip this many of the newest items', wholeNumber(0), 0)
  .option('--limit <number>', 'show at most this many items', wholeNumber(1), 100)
  .action(run(list))

async function list (place, [path], options) {
  const { offset, limit } = options
  const report = await withOperations(place, options, (perform) => perform('list', { path, offset, limit }))
  const { count, items } = report
  return { report, text: items, summary: [`${items.length} of ${countText(count, 'item')}${offset ? ` after the ${offset} newest` : ''}`] }
}
