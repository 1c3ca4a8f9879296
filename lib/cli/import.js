const { Option } = require('commander')
const fs = require('fs')
const path = require('path')
const EntryCounts = require('../entry-counts.js')
const { compare } = require('./compare.js')
const { confirm } = require('./confirm.js')
const { ended, failure, run, showProgress, withStore } = require('./run.js')
const { bytesText } = require('./numbers.js')

const sources = {
  jsonl: require('../import/jsonl.js'),
  files: require('../import/files.js'),
  sled: require('../import/sled.js'),
  redis: require('../import/redis.js'),
  mysql: require('../import/mysql.js'),
  postgresql: require('../import/postgresql.js')
}
const kinds = Object.keys(sources)
const inFolders = ['jsonl', 'files', 'sled']
// Number of entries that were left out and are named.
const NAMED = 100

module.exports = (program) => {
  const command = program.command('import')
  command
    .description('brings data into the store. What ended or was changed there since is kept as it is. It can be run again')
    .argument('<source>', 'jsonl: the file of an export, or - for the standard input; files: the folder; sled: the folder of another store; else a URL')
    .addOption(new Option('--from <kind>', `what the source is: ${kinds.join(', ')}`).argParser((kind) => parseKind(command, kind)).makeOptionMandatory())
    .option('--verify', 'compare every record and every list with the source afterwards')
    .option('--overwrite', 'replace whatever is in the store, and end every session afterwards')
    .option('--skip-too-large', 'leave out what a store cannot take: contents over 64 MiB, names over 64 KiB')
    .option('--yes', 'do not ask before data comes into a store that has some')
    .option('--dry-run', 'only say what would be brought over')
    .action(run(async (folder, [source], options) => {
      refuseUrl(source, options.from)
      let found = 0
      const end = showProgress(options, () => found, 'records and items counted')
      const counted = (number) => { found = number }
      const opened = await sources[options.from].open(source, { beside: path.dirname(folder), target: folder, counted }).catch((error) => {
        end()
        throw error
      })
      try {
        const passes = new Passes(opened, options, await opened.survey().finally(end))
        return options.dryRun ? await count(folder, passes, options) : await withStore(folder, (store) => bring(folder, passes, store, options), { create: true })
      } finally {
        await opened.close()
      }
    }))
}

// The library would show the argument, which may be a URL with a password.
function parseKind (command, kind) {
  if (!kinds.includes(kind)) {
    command.error(`error: the argument of --from is not a kind of source. Allowed are ${kinds.join(', ')}`)
  }
  return kind
}

// Errors of the system name the file, and a URL may have a password.
function refuseUrl (source, kind) {
  if (inFolders.includes(kind) && /^[a-z][a-z\d+.-]*:\/\//i.test(source) && !fs.existsSync(source)) {
    throw failure('source-invalid', 'ERR_SOURCE', `the source of --from ${kind} is a ${kind === 'jsonl' ? 'file' : 'folder'}, and a URL was given; for a server write --from redis, mysql or postgresql`)
  }
}

async function bring (folder, passes, store, options) {
  if (await hasData(store)) {
    await confirm(options, options.overwrite
      ? `the store in ${folder} has data: what is imported replaces it, whatever was changed since, and every session is ended`
      : `the store in ${folder} has data: what is imported replaces it, but for what ended or was changed there since`)
  }
  const report = await passes.during((entries) => store.load(entries, { overwrite: options.overwrite }))
  const text = [`${summary(report)} were brought over, ${bytesText(report.bytes)}`, ...lines(report, passes, 'was kept'), ...(report.ended ? ended(report.ended) : [])]
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
async function count (folder, passes, options) {
  const { endsSessions = false, report } = await withStore(folder, (store) => countOver(store, passes, options)).catch(async (error) => {
    if (error.message !== 'store-missing') {
      throw error
    }
    return { report: await passes.during(countAll) }
  })
  return {
    report: { dryRun: true, ...report, skipped: passes.skipped.length },
    text: [
      `${summary(report)} would be brought over, ${bytesText(report.bytes)}`,
      ...lines(report, passes, 'would be kept'),
      ...(endsSessions ? ['whatever is in the store would be replaced, and every session would be ended'] : []),
      'nothing was changed'
    ]
  }
}

async function countOver (store, passes, { overwrite }) {
  const report = await passes.during((entries) => store.load(entries, { dryRun: true }))
  return overwrite && await hasData(store) ? { endsSessions: true, report: { ...report, kept: 0, keptRecords: [] } } : { report }
}

async function countAll (entries) {
  const counts = new EntryCounts()
  for await (const entry of entries) {
    counts.add(entry)
  }
  return { ...counts, kept: 0, keptRecords: [] }
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
  constructor (source, options, { total, tooLarge }) {
    Object.assign(this, { source, options, total, skipped: [] })
    // Before anything is written.
    tooLarge.forEach((entry) => this.refuseLarge(entry, tooLarge.length))
  }

  refuseLarge ({ tooLarge, reason }, number = 1) {
    if (!this.options.skipTooLarge) {
      const others = number > 1 ? ` The source has ${number} entries that are too large.` : ''
      throw failure('source-too-large', 'ERR_SOURCE', `${tooLarge}: ${reason}, which is more than a store takes.${others} Leave out what is too large by --skip-too-large`)
    }
  }

  async during (work) {
    this.skipped = []
    this.done = 0
    const end = showProgress(this.options, () => this.done, 'records and items', this.total)
    return work(this.entries()).finally(end)
  }

  async * entries () {
    for await (const entry of this.source.entries()) {
      if (entry.tooLarge !== undefined) {
        this.refuseLarge(entry)
        this.skipped.push({ skipped: entry.tooLarge, reason: entry.reason })
      } else if (entry.skipped !== undefined) {
        this.skipped.push(entry)
      } else {
        this.done += entry.record === undefined ? entry.items.length : 1
        yield entry
      }
    }
  }
}
