// `npm start`: installs and builds what is missing, then runs the example until Ctrl-C. `exec` in package.json has
// the SIGTERM that npm gets arrive here: the shell between would die of it, and this would go on alone.
const path = require('path')
const { application, prepare, readAddress, requireFree, stopPreparing } = require('./prepare.js')
const { runDashboard } = require('./run-dashboard.js')

const limitMs = 30000

let stopDashboard, stopping

async function main () {
  const { host, port } = readAddress()
  // Before the long work, and because the host opens its store before its port.
  await requireFree(host, port)
  await prepare()
  const data = path.resolve(process.env.SLED_PATH || path.join(application, 'data', 'dashboard.sled'))
  stopDashboard = await runDashboard({ SLED_PATH: data, HOST: host, PORT: String(port) })
  const address = `http://${host}:${port}`
  console.log(`
Dashboard runs on ${address}
Its data lies in ${data}
To begin, register at ${address}/account/register: the first account becomes the owner and administrator
Then open ${address}/administrator
Ctrl-C stops it`)
}

// Ctrl-C comes twice under npm, which passes on what the terminal has sent to all.
async function stop () {
  if (stopping) {
    return
  }
  stopping = true
  setTimeout(() => process.exit(1), limitMs)
  if (stopPreparing()) {
    process.exit(1)
  }
  if (stopDashboard) {
    await stopDashboard()
    console.log('\nStopped; the next start finds the data')
  }
  process.exit(0)
}

process.on('SIGINT', stop)
process.on('SIGTERM', stop)
main().catch((error) => {
  console.error(error.detail || error)
  process.exit(1)
})
