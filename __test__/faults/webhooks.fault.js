// kill -9 amid deliveries of webhooks, again and again on one store. The receiver fails often, and for one account most of the time.
const childProcess = require('child_process')
const { once } = require('events')
const fs = require('fs')
const path = require('path')
const { setTimeout: sleep } = require('timers/promises')
const { startReceiver } = require('../helpers/receiver.js')
const { inFolder, withCleanup } = require('./processes.js')

const ACCOUNTS = 7
const LIMIT_MS = 60000

module.exports = {
  run: async ({ long }) => [
    ...await inFolder((folder) => killRounds(folder, long ? 200 : 40, false)),
    ...await inFolder((folder) => killRounds(folder, 15, true))
  ]
}

async function killRounds (folder, rounds, forgets) {
  const file = path.join(folder, 'ended')
  const ended = fs.openSync(file, 'a')
  let seed = 20
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  let isCalm = false
  const receiver = await startReceiver(({ accountid }) => {
    if (isCalm) {
      return 204
    }
    const fails = random() < (accountid === 'account-0' ? 0.9 : 0.2)
    return fails ? [500, 503, 'hang'][Math.floor(random() * 2.1)] : 204
  })
  const start = (inFlight) => childProcess.fork(path.join(__dirname, 'fixtures', 'webhooks.js'), [JSON.stringify({ url: receiver.url, accounts: ACCOUNTS, inFlight, forgets })], {
    env: { ...process.env, NODE_NO_WARNINGS: '1', SLED_PATH: path.join(folder, 'store') },
    stdio: ['ignore', 'inherit', 'inherit', ended, 'ipc']
  })
  const running = async (inFlight, work) => {
    const child = start(inFlight)
    return withCleanup(async () => {
      await Promise.race([once(child, 'message'), once(child, 'exit')])
      await work()
    }, () => child.kill('SIGKILL')).finally(() => child.exitCode === null && child.signalCode === null && once(child, 'exit'))
  }
  for (let round = 0; round < rounds; round++) {
    await running(4, () => sleep(round * 37 % 300))
  }
  isCalm = true
  const acknowledged = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  const arrived = () => {
    const accepted = new Set(receiver.accepted)
    return new Set(receiver.requests.filter(({ event }) => accepted.has(event.data.number)).map(({ event }) => event.data.sessionid))
  }
  let missing
  await running(0, async () => {
    const wait = forgets ? 5000 : LIMIT_MS
    for (const until = Date.now() + wait; Date.now() < until;) {
      const found = arrived()
      missing = acknowledged.filter((sessionid) => !found.has(sessionid))
      if (!missing.length) {
        break
      }
      await sleep(200)
    }
  })
  await receiver.close()
  fs.closeSync(ended)
  if (forgets) {
    return [{ fault: `the same without what waits in the record, ${missing.length} of ${acknowledged.length} missing`, tried: acknowledged.length, lost: missing.length, mustLose: true }]
  }
  const disorder = outOfOrder(receiver)
  const twice = receiver.accepted.length - new Set(receiver.accepted).size
  return [
    { fault: `kill -9 amid deliveries, ${rounds} times; ends that never arrived (${twice} arrived again)`, tried: acknowledged.length, lost: missing.length },
    { fault: 'events that arrived before an earlier one of their account', tried: receiver.accepted.length, lost: disorder }
  ]
}

// By the first arrival of each event, because one that arrived shortly before a kill comes again.
function outOfOrder ({ accepted, requests }) {
  const accountOf = new Map(requests.map(({ event }) => [event.data.number, event.data.accountid]))
  const last = new Map()
  let count = 0
  for (const number of new Set(accepted)) {
    const account = accountOf.get(number)
    count += number < (last.get(account) ?? 0)
    last.set(account, number)
  }
  return count
}
