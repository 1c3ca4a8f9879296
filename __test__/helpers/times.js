// Waiting, and times that hold on a busy machine.

module.exports = { pause, shortest, until }

function pause (milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

// The shortest time of a few attempts, because a busy machine makes any of them longer.
async function shortest (attempt, attempts = 4) {
  const times = []
  for (let i = 0; i < attempts; i++) {
    times.push(await attempt(i))
  }
  return Math.min(...times)
}

// Resolves to the first value of `look` that is true; `seconds` are for a slow machine.
async function until (look, { every = 5, seconds = 20 } = {}) {
  for (const end = Date.now() + seconds * 1000; ;) {
    const found = await look()
    if (found) {
      return found
    }
    if (Date.now() > end) {
      throw new Error(`not within ${seconds} s: ${look}`)
    }
    await pause(every)
  }
}
