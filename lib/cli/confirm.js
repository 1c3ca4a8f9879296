// Asks for confirmation before a change that cannot be undone.
const readline = require('readline')
const { failure } = require('../errors.js')

module.exports = { confirm }

// Resolves if the operator agrees, by `--yes` or at a terminal; `consequence` says what will happen.
async function confirm ({ yes, hasDryRun }, consequence) {
  if (yes) {
    return
  }
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw failure('confirmation-missing', 'ERR_NOT_CONFIRMED', `${consequence}. Add --yes if that is what you want${hasDryRun ? ', or --dry-run to see what would happen' : ''}; nothing was changed`)
  }
  if (!/^y(es)?$/i.test(await ask(`${consequence}. Go on? [y/N] `))) {
    throw failure('not-confirmed', 'ERR_NOT_CONFIRMED', 'nothing was changed')
  }
}

// The end of the input counts as an empty answer.
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
