// Runs the example's Dashboard in this process.
const { subscribe } = require('diagnostics_channel')
const { once } = require('events')
const path = require('path')
const { application } = require('./prepare.js')

// How long requests may take to end.
const graceMs = 2000

module.exports = { runDashboard }

// Resolves to a function that stops it.
async function runDashboard (settings) {
  let server
  Object.assign(process.env, {
    STORAGE: 'dashboard-sled',
    GENERATE_SITEMAP_TXT: 'false',
    GENERATE_API_TXT: 'false',
    GENERATE_ENV_TXT: 'false',
    ...settings
  })
  // The host drops its index.html pages where the current folder has an index.js.
  process.chdir(application)
  // The server for commands has no port.
  subscribe('http.server.request.start', (request) => { server = request.server.address()?.port ? request.server : server })
  const dashboard = await require(path.join(application, 'main.js'))
  return async () => {
    dashboard.stop()
    if (server) {
      await closeRequests(server)
    }
    await dashboard.Storage.close()
  }
}

// Lets requests in progress end, and closes idle connections, which a browser would keep open for long.
async function closeRequests (server) {
  const closed = once(server, 'close')
  const grace = new Promise((resolve) => setTimeout(resolve, graceMs))
  server.closeIdleConnections()
  await Promise.race([closed, grace])
}
