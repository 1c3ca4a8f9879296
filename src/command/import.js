const { Option } = require('commander')
const path = require('path')
const { compare } = require('./compare.js')
const { confirm } = require('./confirm.js')
const { ended, run, showProgress, withStore } = require('./run.js')

const kinds = ['jsonl', 'files', 'redis', 'mysql', 'postgresql']
// Of what was left out or kept so much is named.
const NAMED = 100

module.exports = (program) => program.command('import')
  .description('brings data into the store. What ended or was changed there since is kept as it is. It can be run again')
  .argument('<source>', 'jsonl: the file of an export, or - for the standard input; files: the folder; else a URL')
  .addOption(new Option('--from <kind>', 'what the source is').choices(kinds).makeOptionMandatory())
  .option('--verify', 'compare every record and every list with the source afterwards')
  .option('--overwrite', 'replace whatever is in the store, and end every session afterwards')
  .option('--yes', 'do not ask before data comes into a store that has some')
  .option('--dry-run', 'only say what would be brought over')
  .action(run(async (folder, [source], options) => {
    const opened = await require(`../transfer/${options.from}.js`).open(source, path.dirname(folder))
    try {
      return options.dryRun ? await count(folder, opened, options) : await withStore(folder, (store) => bring(folder, opened, store, options), { create: true })
    } finally {
      await opened.close()
    }
  }))

async function bring (folder, source, store, options) {
  if (await hasData(store)) {
    await confirm(options, options.overwrite
      ? `the store in ${folder} has data: what is imported replaces it, whatever was changed since, and every session is ended`
      : `the store in ${folder} has data: what is imported replaces it, but for what ended or was changed there since`)
  }
  const passes = new Passes(source, options, await source.count())
  const report = await passes.during((entries) => store.load(entries, { overwrite: options.overwrite }))
  const text = [`${summary(report)} were brought over, ${report.bytes} bytes`, ...lines(report, passes, 'was kept'), ...(report.ended ? ended(report.ended) : [])]
  const skipped = passes.skipped.length
  if (!options.verify) {
    return { report: { ...report, skipped }, text }
  }
  const { number, described, kept } = await passes.during((entries) => compare(entries, store))
  return {
    code: number ? 1 : 0,
    report: { ...report, skipped, differences: number, described },
    text: [...text, ...described, conclusion(number, kept)]
  }
}

function conclusion (number, kept) {
  const others = kept ? `, but for ${kept} of which something was kept` : ''
  return number ? `${number} differences from the source` : `every record and every list is as in the source${others}`
}

// Where there is no store yet, nothing can be kept.
async function count (folder, source, options) {
  const passes = new Passes(source, options, await source.count())
  const report = await withStore(folder, (store) => passes.during((entries) => store.load(entries, { dryRun: true }))).catch(async (error) => {
    if (error.message !== 'store-missing') {
      throw error
    }
    return passes.during(countAll)
  })
  const kept = options.overwrite ? { ...report, kept: 0, keptRecords: [] } : report
  return {
    report: { ...kept, skipped: passes.skipped.length },
    text: [`${summary(report)} would be brought over, ${report.bytes} bytes`, ...lines(kept, passes, 'would be kept'), 'nothing was changed']
  }
}

async function countAll (entries) {
  const counts = { records: 0, lists: 0, items: 0, bytes: 0, kept: 0, keptRecords: [] }
  let path
  for await (const { record, contents, list, items } of entries) {
    if (record !== undefined) {
      counts.records++
      counts.bytes += contents.length
      continue
    }
    counts.lists += list === path ? 0 : 1
    counts.items += items.length
    path = list
  }
  return counts
}

function summary ({ records, lists, items }) {
  return `${records} records and ${lists} lists with ${items} items`
}

function lines ({ kept, keptRecords }, { skipped }, wasKept) {
  return [
    ...keptRecords.map((name) => `kept: ${name}`),
    ...(kept ? [`of ${kept} accounts and sessions something ${wasKept}, since it ended or was changed in the store`] : []),
    ...skipped.slice(0, NAMED).map(({ skipped, reason }) => `left out: ${skipped} (${reason})`),
    ...(skipped.length ? [`${skipped.length} were left out`] : [])
  ]
}

async function hasData (store) {
  let isDamaged = false
  const entries = store.entries({ onDamage: () => { isDamaged = true } })
  const { done } = await entries.next()
  await entries.return()
  return isDamaged || !done
}

// The source is read once or twice, with a line that says how far it is. What it leaves out is noted once.
class Passes {
  constructor (source, options, total) {
    Object.assign(this, { source, options, total, skipped: [] })
  }

  async during (work) {
    this.skipped = []
    this.done = 0
    const end = showProgress(this.options, () => this.done, 'records and items', this.total)
    return work(this.entries()).finally(end)
  }

  async * entries () {
    for await (const entry of this.source.entries()) {
      if (entry.skipped !== undefined) {
        this.skipped.push(entry)
        continue
      }
      this.done += entry.record === undefined ? entry.items.length : 1
      yield entry
    }
  }
}
