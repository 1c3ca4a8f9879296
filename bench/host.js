// A Dashboard over one store, in a process of its own. It does what it is asked for by message, one thing at a time, and
// is idle while other stores are measured.
const fs = require('fs')
const path = require('path')
const data = require('./data.js')
const { alone, each, inFlight } = require('./measure.js')

global.applicationPath = process.cwd()
const packages = path.join(global.applicationPath, 'node_modules')
const dashboard = require(path.join(packages, '@userdashboard', 'dashboard'))
const { appid } = data
// How many calls were acknowledged, by the kind of work.
const acknowledged = {}
let size

const works = {
  get: (i) => global.api.administrator.Session.get({ appid, query: { sessionid: sessionAt(i) } }),
  patch: (i) => patch(spread(i, size.accounts)),
  read: (i) => dashboard.Storage.read(`${appid}/session/${sessionAt(i)}`),
  write: (i) => {
    const number = spread(i, size.sessions)
    // Changed by every write: an equal one might not be written at all.
    const session = { ...data.session(number, size.accounts), lastVerified: i }
    return dashboard.Storage.write(`${appid}/session/${session.sessionid}`, session)
  },
  'sign-in': (i) => {
    const body = { username: data.username(spread(i, size.accounts)), password: data.password }
    return global.api.user.CreateSession.post({ appid, query: {}, body })
  }
}

const methods = {
  start: async () => {
    const openMilliseconds = timeOpening()
    await dashboard.start(global.applicationPath)
    // What is left of the host's sign-in is what it asks of the store.
    dashboard.Hash.bcryptHashCompare = async () => true
    return { openMilliseconds: openMilliseconds() }
  },

  load: async ({ sessions, loaders }) => {
    const accounts = data.accountsFor(sessions)
    await each(loaders, 0, accounts, async (i) => {
      const usernameHash = await dashboard.Hash.sha512Hash(data.username(i))
      await dashboard.Storage.write(`${appid}/account/${data.accountId(i)}`, data.account(i, usernameHash))
      await dashboard.Storage.write(`${appid}/map/usernames/${usernameHash}`, data.accountId(i))
    })
    await each(loaders, 0, sessions, (i) => {
      const session = data.session(i, accounts)
      return dashboard.Storage.write(`${appid}/session/${session.sessionid}`, session)
    })
    methods.use({ sessions })
  },

  // Which accounts and sessions there are.
  use: ({ sessions }) => {
    const accounts = data.accountsFor(sessions)
    size = {
      sessions,
      accounts,
      sessionIds: Array.from({ length: sessions }, (_, i) => data.sessionId(i)),
      accountIds: Array.from({ length: accounts }, (_, i) => data.accountId(i))
    }
  },

  measure: async ({ work, width, milliseconds, slice }) => {
    const base = acknowledged[work] || 0
    const call = (i) => works[work](base + i)
    const result = width ? await inFlight(width, call, milliseconds) : await alone(call, milliseconds, slice)
    acknowledged[work] = base + result.calls
    return result
  },

  // What is wrong with the store after all that was done to it.
  check: async () => {
    const problems = [...await checkNumbers(), ...await checkEnded(), ...await checkWritten(), ...await checkList()]
    const signedIn = acknowledged['sign-in'] || 0
    const listed = await dashboard.StorageList.count(`${appid}/sessions`)
    if (listed !== signedIn) {
      problems.push(`${signedIn} sign-ins, but ${listed} sessions in the list`)
    }
    return problems
  },

  // The sessionKeyNumber of every account.
  numbers: async () => {
    const numbers = []
    await each(64, 0, size.accounts, async (i) => {
      numbers[i] = (await readObject(`account/${size.accountIds[i]}`)).sessionKeyNumber
    })
    return numbers
  },

  // Writes the number of an account into the ledger whenever a patch of it is acknowledged, until the process is killed.
  patchUntilKilled: ({ ledger }) => {
    const file = fs.openSync(ledger, 'a')
    inFlight(64, async (i) => {
      const account = spread(i, size.accounts)
      await patch(account)
      fs.writeSync(file, Uint32Array.of(account))
    }, Infinity)
  }
}

function patch (account) {
  return global.api.administrator.ResetSessionKey.patch({ appid, query: { accountid: size.accountIds[account] } })
}

async function readObject (name) {
  return JSON.parse(await dashboard.Storage.read(`${appid}/${name}`))
}

// Every patch has raised the number of one account by one.
async function checkNumbers () {
  const numbers = await methods.numbers()
  const raised = numbers.reduce((sum, number) => sum + number - 1, 0)
  const patches = acknowledged.patch || 0
  return raised === patches ? [] : [`${patches} patches were acknowledged, ${raised} are counted`]
}

// A patch ends the sessions of its account.
async function checkEnded () {
  await works.patch(acknowledged.patch || 0)
  const account = await readObject(`account/${size.accountIds[spread(acknowledged.patch || 0, size.accounts)]}`)
  const number = size.accountIds.indexOf(account.accountid)
  const session = await global.api.administrator.Session.get({ appid, query: { sessionid: size.sessionIds[number] } })
  if (session.accountid === account.accountid && session.ended === account.sessionKeyLastReset && !session.tokenHash) {
    return []
  }
  return [`the session of an account that was reset reads ${JSON.stringify(session)}`]
}

async function checkWritten () {
  await works.write(acknowledged.write || 0)
  const number = spread(acknowledged.write || 0, size.sessions)
  const expected = JSON.stringify({ ...data.session(number, size.accounts), lastVerified: acknowledged.write || 0 })
  return await dashboard.Storage.read(`${appid}/session/${size.sessionIds[number]}`) === expected ? [] : ['a session is not what was written last']
}

// Newest first. Some milliseconds lie between the items, since the order of items of one instant is not promised by all.
async function checkList () {
  const items = Array.from({ length: 25 }, (_, i) => `item-${i}`)
  for (const item of items) {
    await dashboard.StorageList.add('check', item)
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
  const page = await dashboard.StorageList.list('check', 5, 10)
  const count = await dashboard.StorageList.count('check')
  const expected = items.reverse().slice(5, 15)
  return count === 25 && String(page) === String(expected) ? [] : [`a page of a list of 25 (count: ${count}) is ${page}`]
}

function sessionAt (i) {
  return size.sessionIds[spread(i, size.sessions)]
}

// Goes through all numbers below `count`, far from the order of loading.
function spread (i, count) {
  return i * 7919 % count
}

// Takes the time that the engine takes to open, without the start of the Dashboard around it.
function timeOpening () {
  let milliseconds
  if (process.env.STORAGE) {
    const { Storage } = require(path.join(packages, process.env.STORAGE))
    const { setup } = Storage
    Storage.setup = async (...args) => {
      const start = performance.now()
      const storage = await setup(...args)
      milliseconds = performance.now() - start
      return storage
    }
  }
  return () => milliseconds
}

process.on('message', async ({ method, args }) => {
  let answer
  try {
    answer = { result: await methods[method](args) }
  } catch (error) {
    answer = { error: `${error.message}${error.detail ? ` (${error.detail})` : ''}` }
  }
  process.send(answer)
})
// The parent has gone.
process.on('disconnect', () => process.exit())
