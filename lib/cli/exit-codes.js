// The exit codes of the tool, and the codes of the errors that lead to them.

const exitCodes = {
  done: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'could not run to its end' },
  usage: { code: 2, meaning: 'used wrongly, or not confirmed; nothing was changed' },
  found: { code: 3, meaning: 'ran to its end and found something: problems, differences, or what had to be left out' },
  missing: { code: 4, meaning: 'there is no store' },
  locked: { code: 5, meaning: 'another process has the store open' },
  damaged: { code: 6, meaning: 'the store, the backup or the export is damaged or incomplete' },
  notPermitted: { code: 7, meaning: 'this user may not do it' },
  interrupted: { code: 130, meaning: 'interrupted with Ctrl-C; 129 by SIGHUP, 143 by SIGTERM' },
  unread: { code: 141, meaning: 'the program that reads the output has ended' }
}

// Errors with other codes lead to `failed`.
const byError = {
  ERR_INVALID: 'usage',
  ERR_USAGE: 'usage',
  ERR_NOT_CONFIRMED: 'usage',
  ERR_STORE_MISSING: 'missing',
  ERR_STORE_LOCKED: 'locked',
  ERR_STORE_DAMAGED: 'damaged',
  ERR_STORE_GUARD: 'damaged',
  ERR_STORE_ROLLED_BACK: 'damaged',
  ERR_STORE_UNFINISHED: 'damaged',
  ERR_EXPORT_DAMAGED: 'damaged',
  ERR_NOT_PERMITTED: 'notPermitted',
  ERR_STORE_PERMISSION: 'notPermitted',
  ERR_STORE_READ_ONLY: 'notPermitted'
}

module.exports = { exitCodeOf, exitCodes }

function exitCodeOf (error) {
  return exitCodes[byError[error.code] || 'failed'].code
}
