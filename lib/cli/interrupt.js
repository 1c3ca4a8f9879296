// Cleanups when a signal ends a command: unfinished files, and the line of the progress.
const os = require('os')

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM']
const cleanups = new Set()

module.exports = { listenForSignals, onInterrupt }

// Registers a cleanup, which cannot wait for anything, and returns a function that cancels it.
function onInterrupt (cleanup) {
  cleanups.add(cleanup)
  return () => cleanups.delete(cleanup)
}

// `report` is called with the name of the signal.
function listenForSignals (report) {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      for (const cleanup of cleanups) {
        cleanup()
      }
      report(signal)
      // The shell then makes the exit code of it: 128 plus the number of the signal.
      process.kill(process.pid, signal)
      // The first process of a container is not ended by that.
      process.exit(128 + os.constants.signals[signal])
    })
  }
}
