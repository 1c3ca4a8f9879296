// Spinning: the event loop stays awake for a moment while a change is made. A single change takes a few hundred
// microseconds, and an event loop that falls asleep meanwhile takes a good part of that to wake up again. While it spins, it
// does whatever else there is to do.
const os = require('os')
const { performance } = require('perf_hooks')
// Not the timers of a test that replaces those of its process.
const { setImmediate } = require('timers')
const native = require('./native.js')

// As long as a commit usually takes. After that the event loop sleeps until it is woken.
const SPIN_MS = 0.4
// With a single processor the event loop would delay the thread that it waits for.
const hasOtherProcessors = (os.availableParallelism ? os.availableParallelism() : os.cpus().length) > 1

module.exports = { spinFor }

let until = 0
let isSpinning = false

// Spins for the promise of a change, or of a read that usually precedes one, and returns the promise.
function spinFor (promise) {
  until = performance.now() + SPIN_MS
  if (hasOtherProcessors && !isSpinning) {
    isSpinning = true
    setImmediate(turn)
  }
  return promise
}

// Spinning ends with several changes in flight: the next result soon follows the first one, and the cost of being woken is
// shared.
function turn () {
  isSpinning = native.deliver() === 1 && performance.now() < until
  if (isSpinning) {
    setImmediate(turn)
  }
}
