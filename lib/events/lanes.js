// The order of deliveries, without input or output. Each account has a lane: its entries are delivered one after the other, and a
// failure holds up only the entries behind it in the same lane.

// Delays after failures: 5 s, 15 s, 45 s, … up to 6 h, each a quarter more or less.
const FIRST_MS = 5 * 1000
const FACTOR = 3
const LONGEST_MS = 6 * 60 * 60 * 1000
// An entry is given up after this many failures in its lane, which take three days, and not before it is three days old.
const MOST_ATTEMPTS = 20
const KEPT_MS = 3 * 24 * 60 * 60 * 1000
// An old entry behind one that was given up has waited long enough, and gets one attempt.
const NEXT_MS = 1000
// Once the receiver answers again, lanes that got no answer are tried again within this time, at most once a minute.
const SPREAD_MS = 5 * 1000
const RECOVER_EVERY_MS = 60 * 1000

module.exports = class Lanes {
  constructor ({ first = FIRST_MS, longest = LONGEST_MS, random = Math.random } = {}) {
    Object.assign(this, { first, longest, random })
    this.lanes = new Map()
    // Number of entries in lanes that have not failed.
    this.healthy = 0
    this.failing = 0
    this.recovered = -Infinity
  }

  add (key, number) {
    if (!this.lanes.has(key)) {
      this.lanes.set(key, { key, numbers: [], attempts: 0, due: 0, isBusy: false, isDown: false })
    }
    const lane = this.lanes.get(key)
    lane.numbers.push(number)
    this.healthy += lane.attempts ? 0 : 1
  }

  addOnce (key, number) {
    if (!this.lanes.has(key)) {
      this.add(key, number)
    }
  }

  // Takes at most `most` lanes whose first entry may be tried now.
  take (now, most) {
    const taken = []
    for (const lane of this.lanes.values()) {
      if (taken.length >= most) {
        break
      }
      if (!lane.isBusy && lane.due <= now) {
        lane.isBusy = true
        taken.push(lane)
      }
    }
    return taken
  }

  // Puts a lane back whose first entry could not be tried.
  putBack (lane, due) {
    Object.assign(lane, { isBusy: false, due })
  }

  succeeded (lane, now) {
    this.setAttempts(lane, 0)
    Object.assign(lane, { due: 0, isDown: false })
    this.leave(lane)
    if (now - this.recovered >= RECOVER_EVERY_MS) {
      const down = [...this.lanes.values()].filter(({ isDown, isBusy }) => isDown && !isBusy)
      down.forEach((lane) => { lane.due = Math.min(lane.due, now + this.random() * SPREAD_MS) })
      this.recovered = down.length ? now : this.recovered
    }
  }

  // `created` is when the entry was made. Returns the number of attempts if the entry is given up.
  failed (lane, now, created, { isDown = false, retryAfter = 0 } = {}) {
    this.setAttempts(lane, lane.attempts + 1)
    lane.isDown = isDown
    const { attempts } = lane
    if (attempts >= MOST_ATTEMPTS && now - created >= KEPT_MS) {
      lane.due = now + NEXT_MS
      this.leave(lane)
      return attempts
    }
    const delay = Math.min(this.first * FACTOR ** (attempts - 1), this.longest) * (0.75 + this.random() / 2)
    this.putBack(lane, now + Math.max(delay, Math.min(retryAfter, this.longest)))
  }

  // Removes the first entry of a lane.
  leave (lane) {
    lane.isBusy = false
    lane.numbers.shift()
    this.healthy -= lane.attempts ? 0 : 1
    this.lanes.delete(lane.key)
    if (lane.numbers.length) {
      // Behind the others, so that each gets its turn.
      this.lanes.set(lane.key, lane)
    } else {
      this.setAttempts(lane, 0)
    }
  }

  setAttempts (lane, attempts) {
    const change = Boolean(attempts) - Boolean(lane.attempts)
    this.failing += change
    this.healthy -= change * lane.numbers.length
    lane.attempts = attempts
  }

  // Returns when the next lane can be tried, Infinity if none waits.
  nextDue () {
    let due = Infinity
    for (const lane of this.lanes.values()) {
      due = lane.isBusy ? due : Math.min(due, lane.due)
    }
    return due
  }

  // Returns the smallest number, Infinity if nothing waits.
  oldest () {
    let oldest = Infinity
    for (const { numbers } of this.lanes.values()) {
      oldest = Math.min(oldest, numbers[0])
    }
    return oldest
  }

  // Returns what `restore` needs: for each lane its first and last entry. Those between are found by reading the audit.
  snapshot () {
    return [...this.lanes.values()].map(({ key, numbers, attempts, due, isDown }) =>
      [key, numbers[0], numbers[numbers.length - 1], attempts, Math.round(due), isDown ? 1 : 0])
  }

  // Makes the lanes of a snapshot, with their first entry. Others are added afterwards.
  restore (snapshot, now) {
    for (const [key, first, , attempts, due, isDown] of snapshot) {
      this.add(key, first)
      const lane = this.lanes.get(key)
      this.setAttempts(lane, attempts)
      Object.assign(lane, { due: Math.min(due, now + 2 * this.longest), isDown: Boolean(isDown) })
    }
  }
}

module.exports.MOST_ATTEMPTS = MOST_ATTEMPTS
