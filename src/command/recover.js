const addon = require('../../index.js')
const { ended, run } = require('./run.js')

module.exports = (program) => program.command('recover')
  .description('accepts a store that has gone back in time')
  .option('--invalidate-sessions', 'end every session of every account, so that none that was ended lives again')
  .option('--even-if-whole', 'also of a store that has not gone back in time')
  .action(run(async (folder, _, { invalidateSessions, evenIfWhole }) => {
    const report = await addon.recover({ path: folder, invalidateSessions, evenIfWhole })
    return { report, text: [...ended(report), `the store in ${folder} can be used again`] }
  }))
