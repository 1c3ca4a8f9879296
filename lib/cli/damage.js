// Damaged records, lists and items that a command has left out: their number, their names, and the exit code.
const Findings = require('../findings.js')
const { exitCodes } = require('./exit-codes.js')
const { countText } = require('./numbers.js')

class Damage {
  #findings = new Findings()

  // A report of the store may count damage already.
  constructor ({ damaged = 0, described = [] } = {}) {
    this.#findings.add(damaged, described)
  }

  add ({ number, described }) {
    this.#findings.add(number, described)
  }

  get report () {
    return { damaged: this.#findings.number, described: this.#findings.described }
  }

  get code () {
    return this.#findings.number ? exitCodes.found.code : exitCodes.done.code
  }

  get text () {
    const { damaged, described } = this.report
    return damaged ? [...described, `${countText(damaged, 'damaged, and left as it is', 'damaged, and left as they are')}: restore a backup`] : []
  }
}

module.exports = { Damage }
