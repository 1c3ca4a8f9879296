// How a call is timed. A call is given its number, and is asynchronous.

module.exports = { alone, each, inFlight, median, quantile, summarize }

// One after another, at most `most` of them. Times are taken of `slice` calls together, since looking at the clock costs as
// much as a short call.
async function alone (call, milliseconds, slice, most = Infinity) {
  const times = []
  let calls = 0
  const begun = performance.now()
  const end = begun + milliseconds
  let now = begun
  while (now < end && calls < most) {
    const start = now
    for (let i = 0; i < slice; i++) {
      await call(calls++)
    }
    now = performance.now()
    times.push((now - start) * 1000 / slice)
  }
  const { p50, p99, p999 } = summarize(times)
  return { microseconds: p50, p50, p99, p999, calls, perSecond: calls * 1000 / (now - begun) }
}

// Each of `width` loops begins its next call when its last one is answered, until there were `most` or `milliseconds` have
// passed. After a failure none begins another.
async function inFlight (width, call, milliseconds, most = Infinity) {
  const start = performance.now()
  const end = start + milliseconds
  let calls = 0
  let ended = false
  const loops = await Promise.allSettled(Array.from({ length: width }, async () => {
    while (!ended && calls < most) {
      try {
        await call(calls++)
      } catch (error) {
        ended = true
        throw error
      }
      ended = ended || (calls % width === 0 && performance.now() > end)
    }
  }))
  const failed = loops.find(({ status }) => status === 'rejected')
  if (failed) {
    throw failed.reason
  }
  return { perSecond: calls * 1000 / (performance.now() - start), calls }
}

// Calls numbered from `from` up to `to`, `width` at a time.
async function each (width, from, to, call) {
  let next = from
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < to) {
      await call(next++)
    }
  }))
}

function summarize (times) {
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((q) => quantile(times, q))
  return { p50, p99, p999 }
}

function median (numbers) {
  return quantile(numbers, 0.5)
}

// The number below which the part `q` of all lies, by linear interpolation.
function quantile (numbers, q) {
  const sorted = Float64Array.from(numbers).sort()
  const at = (sorted.length - 1) * q
  const below = sorted[Math.floor(at)]
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at))
}
