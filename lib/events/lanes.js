// The order of deliveries, without input or output. Each account has a lane: its entries are delivered one after the other, and a
// failure holds up only the entries behind it in the same lane.

// Delays after failures: 5 s, 15 s, 45 s, … up to 6 h, each a quarter more or less.
const FIRST_MS = 5 * 1000
const FACTOR = 3
const LONGEST_MS = 6 * 60 * 60 * 1000
const JITTER = 0.25
// An entry is given up three days after its own first attempt, and not before this many attempts, which take about as long: the
// process may not have run meanwhile.
const MOST_ATTEMPTS = 20
const KEPT_MS = 3 * 24 * 60 * 60 * 1000
// The first attempt of an entry behind one that was given up.
const NEXT_MS = 1000
// Once the receiver answers again, lanes that got no answer are tried again within this time, at most once a minute.
const SPREAD_MS = 5 * 1000
const RECOVER_EVERY_MS = 60 * 1000

module.exports = class Lanes {
  constructor ({ first = FIRST_MS, longest = LONGEST_MS, kept = KEPT_MS, random = Math.random } = {}) {
    Object.assign(this, { first, longest, kept, random })
    this.lanes = new Map()
    // Number of entries in lanes that do not fail.
    this.healthy = 0
    this.failing = 0
    this.recovered = -Infinity
  }

  add (key, number) {
    if (!this.lanes.has(key)) {
      // `attempts` and `since`, the time of the first one, are of the first entry; `isFailing` is of the lane.
      this.lanes.set(key, { key, numbers: [], attempts: 0, since: 0, due: 0, isBusy: false, isDown: false, isFailing: false })
    }
    const lane = this.lanes.get(key)
    lane.numbers.push(number)
    this.healthy += lane.isFailing ? 0 : 1
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
      lane.due = this.soonest(lane.due, now)
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
    this.setFailing(lane, false)
    Object.assign(lane, { due: 0, isDown: false })
    this.leave(lane)
    if (now - this.recovered >= RECOVER_EVERY_MS) {
      const down = [...this.lanes.values()].filter(({ isDown, isBusy }) => isDown && !isBusy)
      down.forEach((lane) => { lane.due = Math.min(lane.due, now + this.random() * SPREAD_MS) })
      this.recovered = down.length ? now : this.recovered
    }
  }

  // Returns the number of attempts if the entry is given up.
  failed (lane, now, { isDown = false, retryAfter = 0 } = {}) {
    this.setFailing(lane, true)
    const attempts = lane.attempts + 1
    // If the clock goes back, the days count from then on.
    const since = lane.attempts ? Math.min(lane.since, now) : now
    Object.assign(lane, { attempts, since, isDown })
    if (attempts >= MOST_ATTEMPTS && now - since >= this.kept) {
      lane.due = now + NEXT_MS
      this.leave(lane)
      return attempts
    }
    const delay = Math.min(this.first * FACTOR ** (attempts - 1), this.longest) * (1 - JITTER + this.random() * 2 * JITTER)
    this.putBack(lane, now + Math.max(delay, Math.min(retryAfter, this.longest)))
  }

  // Removes the first entry of a lane.
  leave (lane) {
    Object.assign(lane, { isBusy: false, attempts: 0 })
    lane.numbers.shift()
    this.healthy -= lane.isFailing ? 0 : 1
    this.lanes.delete(lane.key)
    if (lane.numbers.length) {
      // Behind the others, so that each gets its turn.
      this.lanes.set(lane.key, lane)
    } else {
      this.setFailing(lane, false)
    }
  }

  setFailing (lane, isFailing) {
    const change = isFailing - lane.isFailing
    this.failing += change
    this.healthy -= change * lane.numbers.length
    lane.isFailing = isFailing
  }

  // Returns when an entry is due. No delay is longer: the clock has gone back since it was computed.
  soonest (due, now) {
    return Math.min(due, now + this.longest * (1 + JITTER))
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
    return [...this.lanes.values()].map(({ key, numbers, attempts, due, isDown, since }) =>
      [key, numbers[0], numbers[numbers.length - 1], attempts, Math.round(due), isDown ? 1 : 0, since])
  }

  // Makes the lanes of a snapshot, with their first entry. Others are added afterwards.
  restore (snapshot, now) {
    for (const [key, first, , attempts, due, isDown, since = now] of snapshot) {
      this.add(key, first)
      const lane = this.lanes.get(key)
      this.setFailing(lane, attempts > 0)
      Object.assign(lane, { attempts, since, due: this.soonest(due, now), isDown: Boolean(isDown) })
    }
  }
}

module.exports.MOST_ATTEMPTS = MOST_ATTEMPTS
