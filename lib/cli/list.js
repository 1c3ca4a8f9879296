const { failure } = require('../errors.js')
const { run, withStore } = require('./run.js')
const { wholeNumber } = require('./whole-number.js')

module.exports = (program) => program.command('list')
  .description('shows one list, newest first')
  .argument('<path>', 'the path, like dashboard/accounts')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .option('--offset <number>', 'skip this many of the newest items', wholeNumber(0), 0)
  .option('--limit <number>', 'show at most this many items', wholeNumber(1), 100)
  .action(run(list))

async function list (place, [path], { offset, limit }) {
  return withStore(place, async (store) => {
    const count = await store.lists.count(path)
    if (!count) {
      throw failure('list-missing', 'ERR_LIST_MISSING', `there is no list ${path}`)
    }
    const items = await store.lists.list(path, offset, limit) || []
    return {
      report: { list: path, count, offset, items },
      text: items,
      summary: [`${items.length} of ${count} items${offset ? ` after the ${offset} newest` : ''}`]
    }
  })
}
