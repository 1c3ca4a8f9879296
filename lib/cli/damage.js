// What a command has found damaged and left out: named, counted, and the reason that it does not end with 0.

const { exitCodes } = require('./exit-codes.js')

// More are counted alone.
const DESCRIBED = 100

class Damage {
  constructor ({ damaged = 0, described = [] } = {}) {
    this.report = { damaged, described }
  }

  add ({ number, described }) {
    this.report.damaged += number
    this.report.described.push(...described.slice(0, DESCRIBED - this.report.described.length))
  }

  get code () {
    return this.report.damaged ? exitCodes.found.code : exitCodes.done.code
  }

  get text () {
    const { damaged, described } = this.report
    return damaged ? [...described, `${damaged} damaged, and left as they are: restore a backup`] : []
  }
}

module.exports = { Damage }
