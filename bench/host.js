// A Dashboard over one store, in a process of its own. It does what it is asked for by message, one thing at a time, and
// is idle while other stores are measured.
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const { monitorEventLoopDelay } = require('perf_hooks')
const data = require('./data.js')
const { alone, each, inFlight } = require('./measure.js')

global.applicationPath = process.cwd()
const packages = path.join(global.applicationPath, 'node_modules')
const dashboard = require(path.join(packages, '@userdashboard', 'dashboard'))
const { appid } = data
const mostIds = 200000
const idsAtOnce = 1000
const batchesAtOnce = 4
const blockBytes = 4096
const writesBehind = 100
// Numbers of acknowledged calls by kind of work; and the kinds in which a call failed, for which the number is not known.
const acknowledged = {}
const failed = new Set()
// Accounts that were signed in. Dashboard's ids are so short that among some ten thousand two may be the same.
const signedIn = new Set()
let size, ids, engine
// Number of the next write that is not measured; another one in each process, so that it changes what is stored.
let others = Date.now() % 1e9

// The i-th call of each kind of work. A request is a new object each time, as it is for the host.
const works = {
  get: (i) => getSession(ids[i % ids.length]),
  patch: (i) => patch(spread(i, size.accounts)),
  read: (i) => dashboard.Storage.read(`${appid}/session/${ids[i % ids.length]}`),
  write: (i) => writeSession(i),
  'sign-in': (i) => signIn(data.username(spread(i, size.accounts))),
  page: (_, { list, offset }) => dashboard.StorageList.list(list, offset, 10),
  count: (_, { list }) => dashboard.StorageList.count(list)
}

const methods = {
  start: async () => {
    const openMilliseconds = timeOpening()
    await dashboard.start(global.applicationPath)
    // Without the hash, Dashboard's sign-in consists of its calls to the store.
    dashboard.Hash.bcryptHashCompare = async () => true
    return { openMilliseconds: openMilliseconds() }
  },

  close: () => dashboard.Storage.close?.(),

  // Accounts and sessions; with `lists` the sessions are also in the list of all of them.
  load: async ({ sessions, lists, loaders }) => {
    methods.use({ sessions })
    await each(loaders, 0, size.accounts, async (i) => {
      const usernameHash = await dashboard.Hash.sha512Hash(data.username(i))
      await dashboard.Storage.write(`${appid}/account/${data.accountId(i)}`, data.account(i, usernameHash))
      await dashboard.Storage.write(`${appid}/map/usernames/${usernameHash}`, data.accountId(i))
    })
    await each(loaders, 0, sessions, (i) => lists ? createSession(i) : writeSession(i, data.session(i, size.accounts)))
  },

  // Which accounts and sessions there are, from the session numbered `first`; and what an earlier process left.
  use: ({ sessions, first = 0, left }) => {
    size = { sessions, first, accounts: data.accountsFor(sessions) }
    if (left) {
      Object.assign(acknowledged, left.acknowledged)
      left.failed.forEach((work) => failed.add(work))
      left.signedIn.forEach((sessionid) => signedIn.add(sessionid))
    }
  },

  // Counts that the next process needs for the check.
  leave: () => ({ acknowledged, failed: [...failed], signedIn: [...signedIn] }),

  // Every record is read once. A store without a cache of sessions scans its files, which brings as much into its memory as
  // calls would; Redis has everything in memory, and plain files have none. Of more sessions than are measured, ours reads the
  // others as records and in the order of their ids: that takes a fraction of the time.
  readAll: async ({ hasSessionCache, width }) => {
    if (!hasSessionCache) {
      return engine?.readAll?.()
    }
    const measured = Math.min(size.sessions, mostIds)
    const others = Array.from({ length: size.sessions - measured }, (_, i) => idOf(measured + i)).sort()
    await each(batchesAtOnce, 0, Math.ceil(others.length / idsAtOnce), (i) =>
      engine.readMany(`${appid}/session`, others.slice(i * idsAtOnce, (i + 1) * idsAtOnce)))
    await each(width, 0, measured, (i) => getSession(idOf(i)))
  },

  // A purge and what comes after it: the oldest third goes, as many new ones come. Resolves to the oldest that is left.
  churn: async ({ loaders }) => {
    const count = Math.floor(size.sessions / 3)
    const { first, sessions } = size
    await each(loaders, first, first + count, (i) => deleteSession(i))
    await each(loaders, first + sessions, first + sessions + count, (i) => createSession(i))
    methods.use({ sessions, first: first + count })
    return size.first
  },

  // Without `from`, it goes on behind the calls before. With `most` it ends after so many calls; `beside` writes are in flight
  // meanwhile.
  measure: async ({ work, width, milliseconds, slice, from, most, beside = 0, args }) => {
    const base = from ?? (acknowledged[work] || 0)
    makeIds(base, most)
    const call = (i) => works[work](base + i, args)
    const end = writeMeanwhile(beside)
    const before = process.cpuUsage()
    let result
    try {
      result = width ? await inFlight(width, call, milliseconds, most) : await alone(call, milliseconds, slice, most)
    } catch (error) {
      failed.add(work)
      throw error
    } finally {
      await end()
    }
    acknowledged[work] = (acknowledged[work] || 0) + result.calls
    // The writes meanwhile would count as well.
    return { ...result, processor: beside ? undefined : sinceThen(before) / result.calls }
  },

  // One large value, and small writes beside it. The value itself does not count as memory that it takes.
  large: async ({ bytes }) => {
    const buffer = crypto.randomBytes(bytes)
    global.gc()
    const { rss } = process.memoryUsage()
    forgetPeak()
    const large = { isWritten: false }
    let longest = 0
    let writes = 0
    let milliseconds
    const start = performance.now()
    large.written = dashboard.Storage.writeBinary(`${appid}/large`, buffer).finally(() => {
      large.isWritten = true
      milliseconds = performance.now() - start
    })
    // The value before is removed after the answer, therefore some more are written then.
    for (let left = writesBehind; !large.isWritten || left > 0; left -= large.isWritten ? 1 : 0) {
      const begun = performance.now()
      await writeSession(others++)
      longest = Math.max(longest, performance.now() - begun)
      writes += large.isWritten ? 0 : 1
    }
    await large.written
    return { milliseconds, longest, writes, timesItsSize: (statusOf('VmHWM') - rss) / bytes }
  },

  // Processor time of all threads so far, in microseconds.
  processor: () => sinceThen(),

  // How long the event loop is held up meanwhile, in milliseconds. As requests do, each call begins in a turn of its own:
  // what is answered without waiting would leave no turn at all. With `file` that is read, and the store asked for nothing.
  delay: async ({ width, milliseconds, file, from = 0, most }) => {
    const call = file ? readsOf(file) : works.get
    const histogram = monitorEventLoopDelay({ resolution: 1 })
    makeIds(from, most)
    global.gc()
    histogram.enable()
    const { perSecond } = await inFlight(width, (i) => call(i).then(() => new Promise(setImmediate)), milliseconds, most)
    histogram.disable()
    const [p50, p99, p999] = [50, 99, 99.9].map((percent) => histogram.percentile(percent) / 1e6)
    return { perSecond, p50, p99, p999, max: histogram.max / 1e6 }
  },

  // In bytes, without what JavaScript could let go of; `mapped` are pages of files, which the system can take back.
  memory: () => {
    ids = []
    global.gc()
    return { resident: process.memoryUsage().rss, mapped: statusOf('RssFile') }
  },

  // The cookie of an administrator who is signed in: the first account that registers is one.
  administrator: async () => {
    const body = { username: 'administrator', password: data.password }
    await global.api.user.CreateAccount.post({ appid, query: {}, body })
    const session = await signIn(body.username)
    return `sessionid=${session.sessionid}; token=${session.token}`
  },

  // Returns the problems of the store after all measurements.
  check: async () => {
    const problems = [...await checkNumbers(), ...await checkEnded(), ...await checkWritten(), ...await checkList()]
    const listed = new Set(await dashboard.StorageList.listAll(`${appid}/sessions`))
    const missing = [...signedIn].filter((sessionid) => !listed.has(sessionid))
    if (missing.length || (listed.size !== signedIn.size && !failed.has('sign-in'))) {
      problems.push(`${signedIn.size} sessions by sign-in, but ${listed.size} in the list, and ${missing.length} missing there`)
    }
    return problems
  },

  // The sessionKeyNumber of every account.
  numbers: async () => {
    const numbers = []
    await each(64, 0, size.accounts, async (i) => {
      numbers[i] = (await readObject(`account/${data.accountId(i)}`)).sessionKeyNumber
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

// Made before a measurement, so that making them is not measured.
function makeIds (from, most = mostIds) {
  ids = Array.from({ length: Math.min(size.sessions, most) }, (_, i) => idOf(from + i))
}

// The i-th session in the order of measuring.
function idOf (i) {
  return data.sessionId(sessionOf(i))
}

function sinceThen (before) {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

// Bytes, from what Linux tells of this process; undefined elsewhere.
function statusOf (name) {
  try {
    const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'))
    return kilobytes * 1024
  } catch (error) {
    // There is no such file or line.
  }
}

// The next statusOf('VmHWM') is the peak from now on.
function forgetPeak () {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5')
  } catch (error) {
    // Linux alone has it.
  }
}

// Keeps so many writes in flight until the function that it returns is called.
function writeMeanwhile (count) {
  const state = { isEnded: false }
  const loops = Promise.all(Array.from({ length: count }, async () => {
    while (!state.isEnded) {
      await writeSession(others++)
    }
  }))
  return () => {
    state.isEnded = true
    return loops
  }
}

async function signIn (username) {
  const session = await global.api.user.CreateSession.post({ appid, query: {}, body: { username, password: data.password } })
  signedIn.add(session.sessionid)
  return session
}

function getSession (sessionid) {
  return global.api.administrator.Session.get({ appid, query: { sessionid } })
}

function patch (account) {
  return global.api.administrator.ResetSessionKey.patch({ appid, query: { accountid: data.accountId(account) } })
}

// Changed by every write: an equal one might not be written at all.
function writeSession (i, session = { ...data.session(sessionOf(i), size.accounts), lastVerified: i }) {
  return dashboard.Storage.write(`${appid}/session/${session.sessionid}`, session)
}

function sessionOf (i) {
  return size.first + spread(i, size.sessions)
}

async function createSession (number) {
  const session = data.session(number, size.accounts)
  await writeSession(number, session)
  await dashboard.StorageList.add(`${appid}/sessions`, session.sessionid)
}

async function deleteSession (number) {
  const sessionid = data.sessionId(number)
  await dashboard.Storage.delete(`${appid}/session/${sessionid}`)
  await dashboard.StorageList.remove(`${appid}/sessions`, sessionid)
}

async function readObject (name) {
  return JSON.parse(await dashboard.Storage.read(`${appid}/${name}`))
}

// Every patch has raised the number of one account by one.
async function checkNumbers () {
  const numbers = await methods.numbers()
  const raised = numbers.reduce((sum, number) => sum + number - 1, 0)
  const patches = acknowledged.patch || 0
  return raised === patches || failed.has('patch') ? [] : [`${patches} patches were acknowledged, ${raised} are counted`]
}

// A patch ends the sessions of its account, and nothing secret is handed out.
async function checkEnded () {
  const account = spread(acknowledged.patch || 0, size.accounts)
  await patch(account)
  const { sessionKeyLastReset } = await readObject(`account/${data.accountId(account)}`)
  const session = await getSession(data.sessionId(account))
  const isRight = session.accountid === data.accountId(account) && session.ended === sessionKeyLastReset && !session.tokenHash
  return isRight ? [] : [`a session whose account was reset has ended: ${session.ended}, and not ${sessionKeyLastReset}`]
}

async function checkWritten () {
  const i = acknowledged.write || 0
  await writeSession(i)
  const session = await readObject(`session/${data.sessionId(sessionOf(i))}`)
  return session.lastVerified === i ? [] : ['a session is not what was written last']
}

// Newest first. The default engine orders by the times of files, which the system may take only every 10 ms.
async function checkList () {
  const items = Array.from({ length: 25 }, (_, i) => `item-${i}`)
  for (const item of items) {
    await dashboard.StorageList.add('check', item)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const page = await dashboard.StorageList.list('check', 5, 10)
  const count = await dashboard.StorageList.count('check')
  const expected = items.reverse().slice(5, 15)
  return count === 25 && String(page) === String(expected) ? [] : [`a page of a list of 25 (count: ${count}) is ${page}`]
}

// Blocks of a file, by Node's own threads.
function readsOf (file) {
  const descriptor = fs.openSync(file)
  const blocks = Math.floor(fs.fstatSync(descriptor).size / blockBytes)
  return (i) => new Promise((resolve, reject) => {
    const done = (error) => error ? reject(error) : resolve()
    fs.read(descriptor, Buffer.allocUnsafe(blockBytes), 0, blockBytes, spread(i, blocks) * blockBytes, done)
  })
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
      engine = storage
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
