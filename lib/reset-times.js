// How long resets of session keys took, for the metrics. It is here and not in a library's histogram, because the library is loaded
// only when somebody asks for metrics.

// Upper limits in seconds. A sync takes from half a millisecond on fast disks to seconds on one that is busy.
const LIMITS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const times = { counts: LIMITS.map(() => 0), count: 0, sum: 0 }

module.exports = { LIMITS, noteReset, resetTimes }

// `begun` is of performance.now().
function noteReset (begun) {
  const seconds = (performance.now() - begun) / 1000
  const place = LIMITS.findIndex((limit) => seconds <= limit)
  if (place !== -1) {
    times.counts[place]++
  }
  times.count++
  times.sum += seconds
}

// Returns the number of resets up to each limit, of all, and the sum of their times, since the process began.
function resetTimes () {
  let total = 0
  return { upTo: times.counts.map((count) => (total += count)), count: times.count, sum: times.sum }
}
