// Asks before something is changed that cannot be brought back.
const readline = require('readline')
const { failure } = require('./failure.js')

module.exports = { confirm }

// Resolves if the operator says yes, by `--yes` or at a terminal; `what` says what will happen.
async function confirm ({ yes }, what) {
  if (yes) {
    return
  }
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw failure('confirmation-missing', 'ERR_NOT_CONFIRMED', `${what}. Add --yes if that is what you want, or --dry-run to see what would happen; nothing was changed`)
  }
  if (!/^y(es)?$/i.test(await ask(`${what}. Go on? [y/N] `))) {
    throw failure('not-confirmed', 'ERR_NOT_CONFIRMED', 'nothing was changed')
  }
}

// The end of the input is not an answer.
function ask (question) {
  // Not as a terminal, so that Ctrl-C stays a signal.
  const lines = readline.createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  return new Promise((resolve) => {
    lines.once('close', () => resolve(''))
    lines.question(question, (answer) => {
      resolve(answer.trim())
      lines.close()
    })
  })
}
