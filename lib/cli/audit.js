const { Option } = require('commander')
const { CAUSES } = require('../control/operations.js')
const { failure } = require('../errors.js')
const { confirm } = require('./confirm.js')
const { actorText } = require('./describe-end.js')
const { exitCodes } = require('./exit-codes.js')
const { moment, momentText } = require('./moment.js')
const { countText, numberText } = require('./numbers.js')
const { withOperations } = require('./perform.js')
const { run } = require('./run.js')
const { table } = require('./table.js')
const { systemUser } = require('./user.js')
const { wholeNumber } = require('./whole-number.js')
const { write } = require('./write.js')

// Entries that are asked for at once.
const PAGE = 500
const counted = { unit: 'entries', text: numberText }
const store = ['[store]', 'the folder of the store or the URL of its database, instead of --store']
const appid = ['--appid <id>', 'the application; without it that of the dashboard, else APPID, DOMAIN or dashboard']

module.exports = (program) => {
  const audit = program.command('audit').description('shows which sessions ended, why and by whom; without a further word it is audit list')
  audit.command('list', { isDefault: true })
    .description('lists the entries of the audit, newest first')
    .argument(...store)
    .option('--account <id>', 'only ends of sessions of this account')
    .option('--actor <who>', 'only those by this account, or by user, administrator, visitor, policy, command-line or system')
    .addOption(new Option('--cause <cause>', 'only those with this cause, like ended-by-administrator').choices(CAUSES))
    .option('--since <time>', 'only those since this time: a date, a time such as 2026-11-22T18:00Z, or how long ago, like 30d', moment)
    .option('--until <time>', 'only those until this time', moment)
    .option('--limit <number>', 'show at most this many', wholeNumber(1), 100)
    .addOption(new Option('--all', 'show all of them').conflicts('limit'))
    .addOption(new Option('--format <format>', 'text; csv for a spreadsheet; or json, a line for each entry with the words of OpenID CAEP').choices(['text', 'csv', 'json']).default('text'))
    .option(...appid)
    .action(run(list))
  audit.command('verify')
    .description('checks that no entry of the audit was changed, removed or put in between')
    .argument(...store)
    .action(run(verify))
  audit.command('erase')
    .description('removes what the audit tells of an account; the entries stay, and audit verify still holds')
    .requiredOption('--account <id>', 'the account')
    .option(...appid)
    .option('--yes', 'do not ask')
    .action(run(erase))
}

async function list (place, _, options, reportToStderr) {
  const limit = options.all ? Infinity : options.limit
  const params = { appid: options.appid, accountid: options.account, actor: options.actor, cause: options.cause, since: options.since, until: options.until }
  const isData = options.format !== 'text'
  const entries = []
  let number = 0
  let missing = 0
  let cursor
  if (isData) {
    reportToStderr()
  }
  await withOperations(place, options, async (perform) => {
    do {
      const page = await perform('audit-list', { ...params, cursor, limit: Math.min(PAGE, limit - number), format: isData ? options.format : undefined }, counted)
      cursor = page.cursor
      number += isData ? page.number : page.entries.length
      // A dashboard of the version before does not say it.
      missing += page.missing ?? 0
      isData ? await write(process.stdout, page.text) : entries.push(...page.entries)
    } while (cursor !== undefined && number < limit)
  })
  const code = missing ? exitCodes.found.code : exitCodes.done.code
  const summary = [
    `${countText(number, 'entry', 'entries')}${cursor === undefined ? '' : '; there may be more: --all, or a higher --limit'}`,
    ...(missing ? [`${countText(missing, 'entry is', 'entries are')} missing in this list, because the store is damaged: run npx dashboard-sled audit verify`] : [])
  ]
  return isData
    ? { code, report: { number, missing }, text: summary }
    : { code, report: { number, missing, entries }, text: table(['number', 'time', 'cause', 'account', 'session', 'by', 'address', 'reason'], entries.map(row), Infinity), summary }
}

function row ({ number, time, cause, accountid, sessionid, before, actor, address, reason, erased }) {
  const account = erased ? '(erased)' : accountid || '-'
  const session = sessionid || (before === undefined ? '-' : `before ${momentText(before)}`)
  return [number, momentText(time), cause, account, session, actorText(actor) || '-', address || '-', reason || '-']
}

async function verify (place, _, options) {
  const report = await withOperations(place, options, (perform) => perform('audit-verify', {}, counted))
  return {
    code: report.break ? exitCodes.found.code : exitCodes.done.code,
    report,
    text: [report.break ? `the chain is broken: ${report.break}` : `${countText(report.entries, 'entry', 'entries')}, and the chain is whole`]
  }
}

async function erase (place, _, options) {
  const { account, appid } = options
  if (!account) {
    throw failure('invalid-accountid', 'ERR_USAGE', 'the name behind --account is empty; name an account')
  }
  await confirm(options, `everything that the audit tells of the account ${account} is removed for ever`)
  const { object, ...report } = await withOperations(place, options, (perform) => perform('audit-erase', { appid, accountid: account, user: systemUser() }, counted))
  return { report, text: [describeErasure(report, account)] }
}

function describeErasure ({ entries }, account) {
  return entries
    ? `${countText(entries, 'entry', 'entries')} about ${account} or by it ${entries === 1 ? 'was' : 'were'} erased`
    : `the audit has no entry about ${account} or by it, so nothing was erased there`
}
