const addon = require('../../index.js')
const { ended, run } = require('./run.js')

module.exports = (program) => program.command('recover')
  .description('accepts a store that has gone back in time')
  .option('--invalidate-sessions', 'end every session of every account, so that none that was ended lives again')
  .action(run(async (folder, _, { invalidateSessions }) => {
    const report = await addon.recover({ path: folder, invalidateSessions })
    return { report, text: [...ended(report), `the store in ${folder} can be used again`] }
  }))
