// How a call is timed. A call is given its number, and is asynchronous.

module.exports = { alone, each, inFlight, median, quantile }

// One after another. Times are taken of `slice` calls together, since looking at the clock costs as much as a short call.
async function alone (call, milliseconds, slice) {
  const times = []
  let calls = 0
  let now = performance.now()
  const end = now + milliseconds
  while (now < end) {
    const start = now
    for (let i = 0; i < slice; i++) {
      await call(calls++)
    }
    now = performance.now()
    times.push((now - start) * 1000 / slice)
  }
  return { microseconds: quantile(times, 0.5), p99: quantile(times, 0.99), calls }
}

// Each of `width` loops begins its next call when its last one is answered. After a failure none begins another.
async function inFlight (width, call, milliseconds) {
  const start = performance.now()
  const end = start + milliseconds
  let calls = 0
  let ended = false
  const loops = await Promise.allSettled(Array.from({ length: width }, async () => {
    while (!ended) {
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
