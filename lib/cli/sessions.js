const { Option } = require('commander')
const { failure } = require('../errors.js')
const { confirm } = require('./confirm.js')
const { describeEnd } = require('./describe-end.js')
const { moment, momentText } = require('./moment.js')
const { countText, numberText } = require('./numbers.js')
const { withOperations } = require('./perform.js')
const { run } = require('./run.js')
const { table } = require('./table.js')
const { systemUser } = require('./user.js')
const { wholeNumber } = require('./whole-number.js')

// Sessions that are asked for at once.
const PAGE = 500
const nothing = 'no live session fits, so nothing was ended'
const counted = { unit: 'sessions', text: numberText }
const store = ['[store]', 'the folder of the store or the URL of its database, instead of --store']
const appid = ['--appid <id>', 'the application; without it that of the dashboard, else APPID, DOMAIN or dashboard']

module.exports = (program) => {
  const sessions = program.command('sessions').description('shows who is signed in, and ends sessions')
  sessions.command('list')
    .description('lists sessions, newest first')
    .argument(...store)
    .option('--account <id>', 'only those of this account')
    .addOption(new Option('--state <state>', 'only those that are live or have ended').choices(['live', 'ended']))
    .option('--limit <number>', 'show at most this many', wholeNumber(1), 100)
    .option('--cursor <cursor>', 'go on behind those of an earlier list, which has the cursor in its JSON')
    .option('--count', 'only count them by state')
    .option(...appid)
    .action(run((place, _, options) => options.count ? count(place, options) : list(place, options)))
  sessions.command('show')
    .description('shows one session, and when, why and by whom it was ended')
    .argument('<sessionid>', 'the session')
    .argument(...store)
    .option(...appid)
    .action(run(show))
  sessions.command('end')
    .description('ends sessions: one, all of an account, all of an account but one, or all of the application')
    .option('--session <id>', 'this session')
    .option('--account <id>', 'those of this account; give it again for further accounts', (id, ids = []) => [...ids, id])
    .option('--all-but <sessionid>', 'those of the account of this session, but not itself')
    .option('--all', 'those of every account of the application')
    .option('--before <time>', 'only those created before this time: a date, a time such as 2026-11-22T18:00Z, or how long ago, like 30d', moment)
    .option('--idle-since <time>', 'only those that nobody has used since', moment)
    .option('--reason <text>', 'a reason, for the audit')
    .option(...appid)
    .option('--dry-run', 'only report how many, and which')
    .option('--yes', 'do not ask')
    .action(run(end))
}

async function list (place, options) {
  const { account, state, limit } = options
  const sessions = []
  let { cursor } = options
  await withOperations(place, options, async (perform) => {
    do {
      const page = await perform('sessions-list', { appid: options.appid, accountid: account, state, cursor, limit: Math.min(PAGE, limit - sessions.length) }, counted)
      sessions.push(...page.sessions)
      cursor = page.cursor
    } while (cursor !== undefined && sessions.length < limit)
  })
  const rows = sessions.map(({ sessionid, accountid, state, created, lastSeen, address, agent }) => [sessionid, accountid, state, momentText(created), momentText(lastSeen), address || '-', agent || '-'])
  return {
    report: { sessions, cursor: cursor ?? null },
    text: table(['session', 'account', 'state', 'created', 'last seen', 'address', 'agent'], rows, Infinity),
    summary: [`${countText(sessions.length, 'session')}${cursor === undefined ? '' : `; there may be more: --cursor ${cursor}, or a higher --limit`}`]
  }
}

async function count (place, options) {
  const report = await withOperations(place, options, (perform) => perform('sessions-count', { appid: options.appid, accountid: options.account }, counted))
  return { report, text: [`${report.live} live, ${report.ended} ended`] }
}

async function show (place, [sessionid], options) {
  const report = await withOperations(place, options, (perform) => perform('sessions-show', { appid: options.appid, sessionid }))
  const { session, end } = report
  const times = ['created', 'expires', 'ended', 'lastSeen', 'lastVerified']
  const lines = Object.entries(session).filter(([name]) => name !== 'age').map(([name, value]) => `${name}: ${times.includes(name) && value ? momentText(value) : value}`)
  return { report, text: [...lines, end ? `it has ended: ${describeEnd(end)}` : 'it is live'] }
}

async function end (place, _, options) {
  const params = choose(options)
  const planned = options.yes && !options.dryRun ? undefined : await endIn(place, options, { ...params, dryRun: true })
  if (options.dryRun) {
    return { report: planned, text: [`${describe(planned, params)} would be ended`, ...planned.sessionids] }
  }
  if (planned && endsNothing(planned)) {
    return { report: { ...planned, dryRun: false, entries: [] }, text: [nothing] }
  }
  await confirm(options, planned ? `${describe(planned, params)} will be ended` : '')
  const report = await endIn(place, options, { ...params, dryRun: false })
  if (endsNothing(report)) {
    return { report, text: [nothing] }
  }
  return {
    report,
    text: [
      `${describe(report, params)} ${[1, undefined].includes(report.ended) ? 'was' : 'were'} ended at ${momentText(report.time)}${report.entries.length ? `, in the audit as ${report.entries.join(', ')}` : ''}`,
      ...(planned && planned.ended !== report.ended ? [`${countText(planned.ended, 'was', 'were')} found before: sessions have begun or ended meanwhile`] : [])
    ]
  }
}

function endsNothing ({ ended, accountids }) {
  return ended === 0 && !accountids.length
}

function endIn (place, options, params) {
  return withOperations(place, options, (perform) => perform('sessions-end', params, counted))
}

// Exactly one of the first four options says which sessions are meant; --account may also be with --all-but.
function choose ({ session, account, allBut, all, before, idleSince, reason, appid }) {
  const chosen = [session, allBut ?? account, all].filter((value) => value !== undefined)
  if (chosen.length !== 1 || (allBut !== undefined && account?.length > 1)) {
    throw failure('invalid-selection', 'ERR_USAGE', 'say which sessions: exactly one of --session, --account, --all-but and --all; nothing was changed')
  }
  const isSeveral = account?.length > 1
  return {
    appid,
    sessionid: session,
    accountid: isSeveral ? undefined : account?.[0],
    accountids: isSeveral ? account : undefined,
    except: allBut,
    all,
    before,
    idleSince,
    reason,
    user: systemUser()
  }
}

function describe ({ ended, accountids, createdBefore }, { sessionid, except }) {
  if (createdBefore !== undefined) {
    return `every session of the application that was created before ${momentText(createdBefore)}`
  }
  if (sessionid !== undefined && ended === 1) {
    return `the session ${sessionid}`
  }
  const of = accountids.length ? `, all of ${accountids.length === 1 ? `the account ${accountids[0]}` : countText(accountids.length, 'account')},` : ''
  return `${countText(ended, 'session')}${of}${except === undefined ? '' : `, all but ${except},`}`
}
