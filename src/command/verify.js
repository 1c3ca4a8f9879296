const addon = require('../../index.js')
const { holds, run, showProgress, withStore } = require('./run.js')

module.exports = (program) => program.command('verify')
  .description('reads everything: checksums, lists and their counters, pieces of large values, the guard')
  .action(run((folder, _, options) => withStore(folder, async (store) => {
    const end = showProgress(options, addon.progress, 'bytes')
    const report = await store.verify().finally(end)
    return {
      code: report.problems ? 1 : 0,
      report,
      text: [holds(report), ...report.described, report.problems ? `${report.problems} problems` : 'nothing is wrong']
    }
  })))
