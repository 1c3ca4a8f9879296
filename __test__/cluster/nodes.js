// Nodes of a cluster: processes that have the same store open.
const { fork } = require('child_process')
const path = require('path')

const ACCOUNT = 'account_1'

// Starts `count` nodes on a database. Each has a method for every call of the fixture; `onevent` is called with what a loop says.
async function startNodes (count, url, env) {
  const nodes = Array.from({ length: count }, () => startNode(url, env))
  await Promise.all(nodes.map((node) => node.open()))
  return nodes
}

// `env` has more settings of the node.
function startNode (url, env) {
  const child = fork(path.join(__dirname, '..', 'fixtures', 'node.js'), { env: { ...process.env, SLED_DATABASE_URL: url, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map()
  let last = 0
  const node = { child, onevent: () => {} }
  child.on('message', ({ id, result, error, event }) => {
    if (event) {
      node.onevent(event)
      return
    }
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    error ? reject(Object.assign(new Error(`${error.message} ${error.detail}`), error)) : resolve(result)
  })
  child.on('exit', () => waiting.forEach(({ reject }) => reject(new Error('the node has ended'))))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  node.end = () => {
    child.kill('SIGKILL')
    return ended
  }
  return new Proxy(node, {
    get: (target, name) => name in target || name === 'then'
      ? target[name]
      : (...args) => new Promise((resolve, reject) => {
          const id = ++last
          waiting.set(id, { resolve, reject })
          child.send({ id, name, args })
        })
  })
}

// Writes an account, and a session that it has begun.
async function makeAccount (node, { accountid = ACCOUNT, sessionid = 'session_1', number = 1 } = {}) {
  await node.write(`dashboard/account/${accountid}`, JSON.stringify({ object: 'account', accountid, sessionKey: 'k1', sessionKeyNumber: number }))
  await makeSession(node, { accountid, sessionid, number })
}

async function makeSession (node, { accountid = ACCOUNT, sessionid = 'session_1', number = 1, created = 1600000000 } = {}) {
  await node.write(`dashboard/session/${sessionid}`, JSON.stringify({ object: 'session', sessionid, accountid, created, tokenHash: 't', expires: 4102444800, sessionKeyNumber: number }))
}

// Lets a node ask for a session as fast as it can. Resolves when it was let in once, to a function that stops it and returns how often
// it asked, and when it asked for the last answer that let it in.
async function watch (node, sessionid, pauseMs) {
  const begun = new Promise((resolve) => { node.onevent = resolve })
  const watching = node.watch(sessionid, pauseMs)
  await Promise.race([begun, watching])
  return async () => {
    await node.stop()
    return watching
  }
}

module.exports = { ACCOUNT, makeAccount, makeSession, startNode, startNodes, watch }
