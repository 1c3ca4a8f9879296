// Faults at an exact call of a process, by way of fixtures/kill-at.c.
const fs = require('fs')
const path = require('path')
const { constants } = require('os')
const { startResets } = require('./processes.js')
const { compile } = require('./shim.js')

module.exports = class Calls {
  // Those below `store` count.
  constructor (folder, store) {
    this.store = store
    this.template = path.join(folder, 'template')
    this.plan = path.join(folder, 'plan')
    this.log = path.join(folder, 'log')
    this.trace = path.join(folder, 'trace')
    this.library = compile('kill-at', folder)
  }

  get env () {
    return { LD_PRELOAD: this.library, FAULT_FOLDER: this.store, FAULT_PLAN: this.plan, FAULT_LOG: this.log }
  }

  // The calls that were counted, the one of the fault last.
  logged () {
    return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').split('\n').filter(Boolean) : []
  }

  async killAt (n, torn, options, ledger) {
    const resets = await this.startWithFault(n, torn, 'SIGKILL', options, ledger)
    const { code, signal } = await resets.ended
    return { code, signal, call: this.logged().pop() }
  }

  // With a pause in the options, only the calls behind it count.
  async startWithFault (n, torn, signal, options, ledger) {
    fs.rmSync(this.log, { force: true })
    fs.rmSync(this.plan, { force: true })
    const plan = () => fs.writeFileSync(this.plan, `${n} ${Number(torn)} ${constants.signals[signal]}`)
    if (!options.pause) {
      plan()
    }
    const resets = startResets(this.store, ledger, options, { env: this.env })
    if (options.pause) {
      await resets.said()
      await resets.said()
      plan()
      resets.goOn()
    }
    return resets
  }
}
