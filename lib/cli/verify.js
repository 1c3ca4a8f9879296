const { exitCodes } = require('./exit-codes.js')
const { countText } = require('./numbers.js')
const { withOperations } = require('./perform.js')
const { withBytes } = require('./progress.js')
const { holds, run, withStore } = require('./run.js')

module.exports = (program) => program.command('verify')
  .description('reads everything and reports problems: checksums, lists and their counters, pieces of large values, the rollback guard')
  .argument('[store]', 'the folder of the store or the URL of its database, instead of --store')
  .option('--repair', 'rebuild positions and counters of lists, and remove pieces of values that nothing points to and items of session lists whose session is gone. Make a backup before')
  .action(run((place, _, options) => options.repair ? withStore(place, (store) => repair(store, options)) : verify(place, options)))

async function verify (place, options) {
  const { isChanging, ...report } = await withOperations(place, options, (perform) => perform('verify', {}))
  return {
    code: codeOf(report),
    report,
    text: [holds(report), ...problems(report)],
    summary: isChanging ? ['the dashboard changed the store meanwhile, so a list that was being changed may be among the problems; stop it and verify again to be sure'] : []
  }
}

async function repair (store, options) {
  const report = await withBytes(options, () => store.repair())
  const { repairs, repaired, unreadable, left } = report
  return {
    code: codeOf(left),
    report,
    text: [
      holds(left),
      ...repaired,
      repairs ? countText(repairs, 'repair') : 'there was nothing to repair',
      ...(unreadable ? [`${countText(unreadable, 'item of a session list could not be judged, and was left: if its session is encrypted,', 'items of session lists could not be judged, and were left: if their sessions are encrypted,')} set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them`] : []),
      ...problems(left)
    ]
  }
}

function codeOf ({ problems }) {
  return problems ? exitCodes.found.code : exitCodes.done.code
}

function problems ({ problems, described }) {
  return [...described, problems ? countText(problems, 'problem') : 'nothing is wrong']
}
