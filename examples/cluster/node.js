// One Dashboard of the cluster, in a process of its own: tells its parent when it runs, and ends with it.
const { runDashboard } = require('../run-dashboard.js')

async function main () {
  const stop = await runDashboard({})
  process.send('runs')
  process.once('disconnect', async () => {
    await stop()
    process.exit(0)
  })
}

// The parent ends it. Ctrl-C in a terminal comes here as well.
process.on('SIGINT', () => {})
main().catch((error) => {
  console.error(error.detail || error)
  process.exit(1)
})
