const { Option } = require('commander')
const fs = require('fs')
const os = require('os')
const path = require('path')
const EntryCounts = require('../entry-counts.js')
const { failure } = require('../errors.js')
const { compare } = require('./compare.js')
const { confirm } = require('./confirm.js')
const { exitCodes } = require('./exit-codes.js')
const { ImportSource } = require('./import-source.js')
const { bytesText, countText } = require('./numbers.js')
const { ended, run, withStore, withTarget } = require('./run.js')

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
    .description('brings data into the store. Whatever ended or was changed there since is kept as it is. It can be run again')
    .argument('<source>', 'jsonl: the file of an export, or - for the standard input; files: the folder; sled: the folder of another store; else a URL')
    .addOption(new Option('--from <kind>', `the kind of the source: ${kinds.join(', ')}`).argParser((kind) => parseKind(command, kind)).makeOptionMandatory())
    .option('--verify', 'compare every record and every list with the source afterwards')
    .option('--overwrite', 'replace whatever is in the store, and end every session afterwards')
    .option('--skip-too-large', 'leave out entries over the limits of a store: contents over 64 MiB, names over 64 KiB')
    .option('--yes', 'do not ask before data comes into a store that has some')
    .option('--dry-run', 'only report what would be brought over')
    .action(run(importSource))
}

// The message of the parser would show the argument, which may be a URL with a password.
function parseKind (command, kind) {
  if (!kinds.includes(kind)) {
    command.error(`error: the argument of --from is not a kind of source. Allowed are ${kinds.join(', ')}`)
  }
  return kind
}

async function importSource (place, [argument], options) {
  refuseUrl(argument, options.from)
  const beside = place.folder ? path.dirname(place.folder) : os.tmpdir()
  const source = await ImportSource.open(sources[options.from], argument, { beside, target: place.folder }, options)
  try {
    return options.dryRun ? await tryOut(place, source, options) : await withTarget(place, (target) => bring(place, source, target, options))
  } finally {
    await source.close()
  }
}

// Refused here, because the system's error would name the file, and a URL may have a password.
function refuseUrl (argument, kind) {
  if (inFolders.includes(kind) && /^[a-z][a-z\d+.-]*:\/\//i.test(argument) && !fs.existsSync(argument)) {
    throw failure('source-invalid', 'ERR_SOURCE', `the source of --from ${kind} is a ${kind === 'jsonl' ? 'file' : 'folder'}, and a URL was given; for a server write --from redis, mysql or postgresql`)
  }
}

async function bring ({ folder }, source, { store, begin, finish }, options) {
  const where = folder || store.path
  if (await hasData(store)) {
    await confirm(options, options.overwrite
      ? `the store in ${where} has data: the import replaces it, including later changes, and every session is ended`
      : `the store in ${where} has data: the import replaces it, except for whatever ended or was changed there since`)
  }
  await begin()
  const report = await source.pass((entries) => store.load(entries, { overwrite: options.overwrite }))
  const skipped = source.skipped.length
  const text = [`${summary(report)} were brought over, ${bytesText(report.bytes)}`, ...leftLines(report, source, 'was kept'), ...(report.ended ? ended(report.ended) : [])]
  if (!options.verify) {
    await finish()
    return { report: { ...report, skipped }, text }
  }
  const { number, described, kept } = await source.pass((entries) => compare(entries, store, report))
  // Only now another process can open a database, so nothing changed it while it was compared.
  await finish()
  return {
    code: number ? exitCodes.found.code : exitCodes.done.code,
    report: { ...report, skipped, differences: number, described },
    text: [...text, ...described, conclusion(number, kept)]
  }
}

function conclusion (number, kept) {
  const others = kept ? `, except for ${kept} of which something was kept` : ''
  return number ? `${countText(number, 'difference')} from the source` : `every record and every list is as in the source${others}`
}

async function tryOut (place, source, options) {
  const { endsSessions, report } = await countFor(place, source, options)
  return {
    report: { dryRun: true, ...report, skipped: source.skipped.length },
    text: [
      `${summary(report)} would be brought over, ${bytesText(report.bytes)}`,
      ...leftLines(report, source, 'would be kept'),
      ...(endsSessions ? ['whatever is in the store would be replaced, and every session would be ended'] : []),
      'nothing was changed'
    ]
  }
}

// Counts what an import would do.
async function countFor (place, source, { overwrite }) {
  try {
    return await withStore(place, async (store) => {
      const report = await source.pass((entries) => store.load(entries, { dryRun: true }))
      const endsSessions = overwrite && await hasData(store)
      return { endsSessions, report: endsSessions ? { ...report, kept: 0, keptRecords: [], keptAudit: false } : report }
    })
  } catch (error) {
    if (error.message !== 'store-missing') {
      throw error
    }
    // Nothing can be kept, because there is no store yet.
    return { endsSessions: false, report: { ...await source.pass(EntryCounts.of), kept: 0, keptRecords: [], keptAudit: false } }
  }
}

function summary ({ records, lists, items }) {
  return `${countText(records, 'record')} and ${countText(lists, 'list')} with ${countText(items, 'item')}`
}

// Lines about whatever did not come over.
function leftLines ({ kept, keptRecords, keptAudit }, { skipped }, wasKept) {
  return [
    ...keptRecords.map((name) => `kept: ${name}`),
    ...(kept ? [`of ${countText(kept, 'account or session', 'accounts and sessions')} something ${wasKept}, because it ended or was changed in the store`] : []),
    ...(keptAudit ? [`the audit of the store ${wasKept}, and that of the source was left out: only one of them can be in a store`] : []),
    ...skipped.slice(0, NAMED).map(({ skipped, reason }) => `left out: ${skipped} (${reason})`),
    ...(skipped.length ? [countText(skipped.length, 'was left out', 'were left out')] : [])
  ]
}

// Damaged data counts as data.
async function hasData (store) {
  let isDamaged = false
  const entries = store.entries({ onDamage: () => { isDamaged = true } })
  const { done } = await entries.next()
  await entries.return()
  return isDamaged || !done
}
