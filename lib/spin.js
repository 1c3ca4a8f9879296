// A lone change takes a few hundred microseconds. An event loop that falls asleep meanwhile takes a good part of that
// to wake up again, so it stays awake for a moment: it goes round, and does whatever else there is to do.
const os = require('os')
const { performance } = require('perf_hooks')
// Tests that replace the timers of a process do not mean these.
const { setImmediate } = require('timers')
const native = require('./native.js')

// In milliseconds: as long as a commit usually takes. After that it sleeps until it is woken.
const PATIENCE = 0.4
// With a single processor the loop would stand in the way of the very thread that it waits for.
const hasOthers = (os.availableParallelism ? os.availableParallelism() : os.cpus().length) > 1

module.exports = { attentively }

let until = 0
let isAwake = false

// Gives back the promise of a change, or of a read that usually comes before one.
function attentively (promise) {
  until = performance.now() + PATIENCE
  if (hasOthers && !isAwake) {
    isAwake = true
    setImmediate(turn)
  }
  return promise
}

// Of several changes in flight the first delivery is soon followed by the next, and being woken costs each of them little.
function turn () {
  isAwake = native.deliver() === 1 && performance.now() < until
  if (isAwake) {
    setImmediate(turn)
  }
}
