// Random numbers from a seed (mulberry32), the same on every machine.
module.exports = { seeded }

// Returns a function that returns numbers in [0, 1); its `below` returns whole numbers under a limit.
function seeded (seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  next.below = (limit) => Math.floor(next() * limit)
  return next
}
