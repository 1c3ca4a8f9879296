// The dashboard's side of the command line: a server of HTTP with JSON, for the owner of the store alone. It does not keep the
// process alive, and ends with the store.
const fs = require('fs')
const http = require('http')
const { isServed, makePlace } = require('../control-socket.js')
const { answer } = require('./routes.js')

module.exports = { startControl }

let endLast = () => {}

// Returns a function that ends the server of the module on its store. A dashboard whose folder cannot have a socket works without
// it; a store in a database has no folder.
function startControl (module) {
  // A module may be set up again.
  endLast()
  const control = { hasEnded: false, end: () => {} }
  start(module, control).catch(warn)
  endLast = () => {
    control.hasEnded = true
    control.end()
  }
  return endLast
}

async function start (module, control) {
  const folder = module.store.path
  // This process has the store locked, so what answers there is another thread of it.
  if (!fs.existsSync(folder) || await isServed(folder) || control.hasEnded) {
    return
  }
  const place = makePlace(folder)
  const server = http.createServer((request, response) => answer(module, request, response))
  server.on('connection', (socket) => socket.unref())
  server.on('error', warn)
  server.unref()
  control.end = () => {
    process.off('exit', control.end)
    place.remove()
    server.close()
    server.closeIdleConnections()
  }
  // In a cluster the socket belongs to this process too.
  server.listen({ path: place.path, exclusive: true })
  try {
    if (server.listening) {
      place.publish()
      // A process that ends without closing its store leaves no socket either.
      process.on('exit', control.end)
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    place.close()
  }
}

function warn (error) {
  process.emitWarning(`dashboard-sled cannot listen for the command line: ${error.detail || error.message}; commands need a stopped dashboard`, { code: 'DASHBOARD_SLED_CONTROL' })
}
