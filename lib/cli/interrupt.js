// What a command puts away when a signal ends it: unfinished files, and the line of its progress.
const os = require('os')

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM']
const cleanups = new Set()

module.exports = { listenForSignals, onInterrupt }

// `cleanup` cannot wait for anything. Returns what takes it back.
function onInterrupt (cleanup) {
  cleanups.add(cleanup)
  return () => cleanups.delete(cleanup)
}

// `tell` gets the name of the signal.
function listenForSignals (tell) {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      for (const cleanup of cleanups) {
        cleanup()
      }
      tell(signal)
      // The shell makes 128 and the number of the signal of it.
      process.kill(process.pid, signal)
      // The first process of a container does not end by that.
      process.exit(128 + os.constants.signals[signal])
    })
  }
}
