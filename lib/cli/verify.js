const { exitCodes } = require('./exit-codes.js')
const { holds, run, showBytes, withStore } = require('./run.js')

module.exports = (program) => program.command('verify')
  .description('reads everything and says what is wrong: checksums, lists and their counters, pieces of large values, the guard')
  .argument('[store]', 'the folder of the store, instead of --store')
  .option('--repair', 'rebuild positions and counters of lists, and remove pieces of values that nothing points to and items of session lists whose session is gone. Make a backup before')
  .action(run((folder, _, options) => withStore(folder, async (store) => {
    const end = showBytes(options)
    if (!options.repair) {
      const report = await store.verify().finally(end)
      return { ...judge(report), report, text: [holds(report), ...problems(report)] }
    }
    const report = await store.repair().finally(end)
    const { repairs, repaired, unreadable, left } = report
    return {
      ...judge(left),
      report,
      text: [
        holds(left),
        ...repaired,
        repairs ? `${repairs} repairs` : 'there was nothing to repair',
        ...(unreadable ? [`${unreadable} items of session lists could not be judged, and were left: if their sessions are encrypted, set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them`] : []),
        ...problems(left)
      ]
    }
  })))

function judge ({ problems }) {
  return { code: problems ? exitCodes.found.code : exitCodes.done.code }
}

function problems ({ problems, described }) {
  return [...described, problems ? `${problems} problems` : 'nothing is wrong']
}
