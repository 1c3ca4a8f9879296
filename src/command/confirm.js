// Asks before something is changed that cannot be brought back.
const readline = require('readline')
const { failure } = require('./run.js')

module.exports = { confirm }

// Resolves if the operator says yes, by `--yes` or at a terminal; `what` says what will happen.
async function confirm (options, what) {
  if (options.yes) {
    return
  }
  if (!process.stdin.isTTY) {
    throw failure('confirmation-missing', 'ERR_INVALID', `${what}. Add --yes if that is what you want; nothing was changed`)
  }
  const asked = readline.createInterface({ input: process.stdin, output: process.stderr })
  const answer = await new Promise((resolve) => {
    asked.question(`${what}. Go on? [y/N] `, resolve)
    asked.once('close', () => resolve(''))
  })
  asked.close()
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw failure('not-confirmed', 'ERR_NOT_CONFIRMED', 'nothing was changed')
  }
}
