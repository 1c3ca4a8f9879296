const { Option } = require('commander')
const path = require('path')
const { compare } = require('./compare.js')
const { run, showProgress, withStore } = require('./run.js')

const kinds = ['jsonl', 'files', 'redis', 'mysql', 'postgresql']

module.exports = (program) => program.command('import')
  .description('brings data into the store, over what is there; it can be run again')
  .argument('<source>', 'jsonl: the file of an export, or - for the standard input; files: the folder; else a URL')
  .addOption(new Option('--from <kind>', 'what the source is').choices(kinds).makeOptionMandatory())
  .option('--verify', 'compare every record and every list with the source afterwards')
  .action(run(async (folder, [source], options) => {
    const opened = await require(`../transfer/${options.from}.js`).open(source, path.dirname(folder))
    try {
      return await withStore(folder, (store) => bring(opened, store, options), { create: true })
    } finally {
      await opened.close()
    }
  }))

async function bring (source, store, options) {
  const total = source.count ? await source.count() : undefined
  const skipped = []
  let done = 0
  const noted = async function * () {
    for await (const entry of source.entries()) {
      if (entry.skipped !== undefined) {
        skipped.push(entry)
        continue
      }
      done += entry.record === undefined ? entry.items.length : 1
      yield entry
    }
  }
  const during = async (work) => {
    done = 0
    const end = showProgress(options, () => done, 'records and items', total)
    return work().finally(end)
  }
  const report = { ...await during(() => store.load(noted())), skipped: skipped.length }
  const text = [
    `${report.records} records and ${report.lists} lists with ${report.items} items were brought over, ${report.bytes} bytes`,
    ...skipped.slice(0, 100).map(({ skipped, reason }) => `left out: ${skipped} (${reason})`),
    ...(skipped.length ? [`${skipped.length} were left out`] : [])
  ]
  if (!options.verify) {
    return { report, text }
  }
  const { number, described } = await during(() => compare(noted, store))
  return {
    code: number ? 1 : 0,
    report: { ...report, differences: number, described },
    text: [...text, ...described, number ? `${number} differences from the source` : 'every record and every list is as in the source']
  }
}
