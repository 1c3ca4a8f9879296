// Resets that fixtures/resets.js saw acknowledged, kept outside the store; finds those that a reopened store lacks.
const fs = require('fs')

module.exports = class Ledger {
  constructor (file) {
    this.file = file
    this.descriptor = fs.openSync(file, 'a+')
    this.forget()
  }

  // For a new store.
  forget () {
    fs.ftruncateSync(this.descriptor)
    this.resets = 0
    this.accounts = new Map()
    this.sessions = new Map()
  }

  // The store's folder is copied and put back; this goes with it.
  save () {
    const { resets, accounts, sessions } = this
    return structuredClone({ resets, accounts, sessions })
  }

  putBack (saved) {
    Object.assign(this, structuredClone(saved))
    fs.ftruncateSync(this.descriptor)
  }

  close () {
    fs.closeSync(this.descriptor)
  }

  // Takes in what was acknowledged since; for when the process is gone. Returns how many resets.
  update () {
    const before = this.resets
    const text = fs.readFileSync(this.file, 'utf8')
    fs.ftruncateSync(this.descriptor)
    for (const [kind, account, number, detail] of text.split('\n').filter(Boolean).map(JSON.parse)) {
      const known = this.account(account)
      known.number = Math.max(known.number, number)
      if (kind === 'session') {
        this.sessions.set(detail, { account, number })
      } else if (kind === 'reset') {
        this.resets++
      } else {
        known.keys.set(number, detail)
      }
    }
    return this.resets - before
  }

  account (account) {
    if (!this.accounts.has(account)) {
      this.accounts.set(account, { number: 0, keys: new Map() })
    }
    return this.accounts.get(account)
  }

  // Returns the problems in the state of a store that was opened again. A reset that it has and that was not acknowledged was
  // in flight, and has to stay from now on.
  problems (state) {
    const problems = state.error ? [`does not open: ${state.error}: ${state.detail}`] : []
    problems.push(...(state.audit || []))
    for (const [sessionid, found] of Object.entries(state.sessions || {})) {
      const { account, number } = this.sessions.get(sessionid)
      const now = state.accounts[account] ? state.accounts[account].number : 0
      const expected = number < Math.max(now, this.account(account).number) ? 'ended' : 'live'
      if (found !== expected) {
        problems.push(`session ${sessionid} is ${found}, not ${expected}`)
      }
    }
    for (const [account, found] of Object.entries(state.accounts || {})) {
      problems.push(...this.accountProblems(account, found))
    }
    return problems
  }

  accountProblems (account, found) {
    const known = this.account(account)
    if (!found) {
      return known.number ? [`account ${account} is gone`] : []
    }
    const problems = []
    if (found.number < known.number) {
      problems.push(`account ${account} has number ${found.number}, acknowledged was ${known.number}`)
    }
    for (const [number, key] of known.keys) {
      if ((number === found.number) !== (key === found.key)) {
        problems.push(`account ${account} with number ${found.number} has the wrong key, see ${number}`)
      }
    }
    known.number = found.number
    known.keys.set(found.number, found.key)
    return problems
  }

  // A few for each account: the first ones, and the last ones that a reset has ended or will end.
  someSessions () {
    const ids = [...this.sessions.keys()]
    return [...new Set([...ids.slice(0, 5), ...ids.slice(-10)])]
  }
}
