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
// Spinning pays only if the result comes within that time. It does not if the drive is slow, or if other programs need the
// processors: then it uses up the turn that this thread and the writer will need. After each spin in vain the event loop
// pauses for twice as long as before, and after each one that has paid, for half as long.
const SHORTEST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 512
// With a single processor the event loop would delay the thread that it waits for.
const hasOtherProcessors = (os.availableParallelism ? os.availableParallelism() : os.cpus().length) > 1

module.exports = { spinFor }

let until = 0
let isSpinning = false
let resumes = 0
let pause = SHORTEST_PAUSE_MS

// Spins for the promise of a change, or of a read that usually precedes one, and returns the promise.
function spinFor (promise) {
  const now = performance.now()
  if (hasOtherProcessors && now >= resumes) {
    until = now + SPIN_MS
    if (!isSpinning) {
      isSpinning = true
      setImmediate(turn)
    }
  }
  return promise
}

// Spinning ends with several changes in flight: the next result soon follows the first one, and the cost of being woken is
// shared.
function turn () {
  const open = native.deliver()
  const now = performance.now()
  isSpinning = open === 1 && now < until
  if (isSpinning) {
    setImmediate(turn)
  } else if (now >= until) {
    resumes = now + pause
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
  } else if (open === 0) {
    pause = Math.max(pause / 2, SHORTEST_PAUSE_MS)
  }
}
