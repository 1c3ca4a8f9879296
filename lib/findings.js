// A number of findings, and the first hundred of them by name: for reports. src/store/findings.rs is its twin.
const NAMED = 100

module.exports = class Findings {
  number = 0
  described = []

  add (number, described) {
    this.number += number
    this.described.push(...described.slice(0, NAMED - this.described.length))
  }
}
