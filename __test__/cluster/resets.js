// Resets without pause on three nodes while something happens to the servers. A reset that returned a number was acknowledged, so the
// stored number must not be below it afterwards.
const assert = require('assert')
const { makeAccount, startNodes } = require('./nodes.js')
const { until } = require('../helpers/times.js')

class Resets {
  static async begin (url, env) {
    const resets = new Resets()
    resets.nodes = await startNodes(3, url, env)
    resets.acknowledged = 0
    resets.longest = 0
    // The highest acknowledged number of each account.
    resets.highest = resets.nodes.map(() => 0)
    for (const [n, node] of resets.nodes.entries()) {
      await makeAccount(node, { accountid: `account_${n}`, sessionid: `session_${n}` })
      node.onevent = ({ result, took, error }) => {
        assert(!error, error)
        resets.acknowledged++
        resets.longest = Math.max(resets.longest, Math.round(took))
        resets.highest[n] = Math.max(resets.highest[n], result)
      }
    }
    resets.loops = resets.nodes.map((node, n) => node.repeat('reset', `account_${n}`))
    return resets
  }

  // Resolves when each account was reset so many times more.
  async more (count) {
    const before = [...this.highest]
    await until(() => this.highest.every((number, n) => number >= before[n] + count), { seconds: 60 })
  }

  async stop () {
    await Promise.all(this.nodes.map((node) => node.stop()))
    await Promise.all(this.loops)
  }

  // `query` asks the server that is the primary now.
  async countLost (query) {
    const rows = await query("SELECT path, convert_from(contents, 'UTF8') AS text FROM objects WHERE path LIKE 'dashboard/account/%'")
    const stored = Object.fromEntries(rows.map(({ path, text }) => [path, JSON.parse(text).sessionKeyNumber]))
    return this.highest.reduce((lost, number, n) => lost + Math.max(0, number - stored[`dashboard/account/account_${n}`]), 0)
  }

  // Every session had its account reset, so no node may let it in.
  async countAlive () {
    const answers = await Promise.all(this.nodes.flatMap((node) => this.nodes.map((_, n) => node.session(`session_${n}`))))
    return answers.filter(Boolean).length
  }

  end () {
    return Promise.all(this.nodes.map((node) => node.end()))
  }
}

module.exports = { Resets }
