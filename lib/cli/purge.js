const addon = require('../../index.js')
const { Damage } = require('./damage.js')
const { exitCodes } = require('./exit-codes.js')
const { countText } = require('./numbers.js')
const { withProgress } = require('./progress.js')
const { run, withStore } = require('./run.js')

module.exports = (program) => program.command('purge')
  .description('removes sessions that ended or expired long ago, and everything that belongs to them')
  .requiredOption('--older-than <age>', 'how long ago, like 30d: s, m, h, d or w')
  .option('--dry-run', 'only report how many')
  .action(run(purge))

async function purge (place, _, options) {
  const { olderThan, dryRun } = options
  return withStore(place, async (store) => {
    const report = await withProgress(options, { value: addon.progress, unit: 'sessions' }, () => store.purge({ olderThan, dryRun }))
    const { sessions, removed, unreadable, others } = report
    const damage = new Damage(report)
    return {
      code: unreadable ? exitCodes.found.code : damage.code,
      report,
      text: [
        `${removed} of ${countText(sessions, 'session')} ${dryRun ? 'would be' : removed === 1 ? 'was' : 'were'} removed`,
        ...(unreadable ? [`${countText(unreadable, 'could not be read, and was left', 'could not be read, and were left')}: set ENCRYPTION_SECRET and ENCRYPTION_SECRET_IV as the dashboard has them`] : []),
        ...(others ? [countText(others, 'record under a key of a session is not a session, and was left', 'records under keys of sessions are not sessions, and were left')] : []),
        ...damage.text
      ]
    }
  })
}
