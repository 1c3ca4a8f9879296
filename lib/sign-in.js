// Dashboard's sign-in (src/www/api/user/create-session.js) as one change. Dashboard's function makes four changes, and waits until
// each is on the disk. Nobody is told of a session before the last one, so here the function runs with a Dashboard that only
// collects its changes. They are made together when it ends: a crash leaves a whole sign-in, or none.
const { createHash } = require('crypto')
const fs = require('fs')
const vm = require('vm')
const { findHost, hostFile, hostSecret } = require('./host.js')
const { spinFor } = require('./spin.js')

// SHA-256 of the file. The functions of other versions may read what they have changed, and are left as they are.
const known = '7e8fa004ea57a798f01bb8c6404e35c0a6d75e2b5f35de70444ca00d6a1436ac'

module.exports = { makeSignInOneChange, stateOf }

// Functions that return the state of the sign-in, by store.
const states = new WeakMap()

// Returns how the dashboard of a store makes sign-ins, as `Stats` in index.d.ts has it.
function stateOf (store) {
  return states.has(store) ? states.get(store)() : null
}

function makeSignInOneChange (store, dashboard) {
  const name = 'src/www/api/user/create-session.js'
  const file = hostFile(name)
  const text = fs.readFileSync(file, 'utf8')
  if (createHash('sha256').update(text).digest('hex') !== known) {
    states.set(store, () => 'other-version')
    return
  }
  const { encrypt } = findHost('src/storage.js')
  const load = vm.compileFunction(text, ['require', 'module'], { filename: file })
  const own = {}
  load(() => dashboard, own)
  const module = findHost(name)
  const { post } = module
  // Another module may have put its checks around the function.
  if (String(post) !== String(own.exports.post)) {
    states.set(store, () => 'replaced')
    return
  }
  const { Storage: { write }, StorageList: { addMany }, StorageObject: { setProperty } } = dashboard
  // The same for the calls that change something: whoever has replaced them expects to see every change.
  const isReplaced = () => dashboard.Storage.write !== write || dashboard.StorageList.addMany !== addMany || dashboard.StorageObject.setProperty !== setProperty
  states.set(store, () => isReplaced() ? 'replaced' : 'one-commit')
  module.post = async (req) => {
    if (isReplaced()) {
      return post(req)
    }
    const changes = {}
    const loaded = {}
    load(() => collecting(dashboard, encrypt, changes), loaded)
    const hadSession = Boolean(req) && 'session' in req
    const sessionBefore = req?.session
    const session = await loaded.exports.post(req)
    const { account, set, files, texts, lists } = changes
    try {
      await spinFor(store.signIn(account, set, files, texts, Object.keys(lists), Object.values(lists), hostSecret()))
    } catch (error) {
      if (hadSession) {
        req.session = sessionBefore
      } else {
        delete req.session
      }
      throw error
    }
    return session
  }
}

// Returns `dashboard` for one sign-in. Its three calls that change something only put the change into `changes`.
function collecting (dashboard, encrypt, changes) {
  const setProperty = async (objectid, property, value) => {
    changes.account = objectid
    changes.set = JSON.stringify({ [property]: value })
    changes.files = []
    changes.texts = []
  }
  const write = async (file, contents) => {
    changes.files.push(file)
    changes.texts.push(encrypt(contents.substring ? contents : JSON.stringify(contents)))
  }
  const addMany = async (items) => { changes.lists = items }
  return {
    ...dashboard,
    Storage: { read: dashboard.Storage.read, write },
    StorageList: { addMany },
    StorageObject: { getProperty: dashboard.StorageObject.getProperty, setProperty }
  }
}
