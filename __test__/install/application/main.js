// A Dashboard as a user has it. Says when it answers, and whether our module is in place.
const dashboard = require('@userdashboard/dashboard')
const { Session } = require('dashboard-sled')

dashboard.start(__dirname).then(() => {
  const inPlace = global.sitemap['/api/administrator/session'].api === Session
  console.log(`Dashboard runs, ${inPlace ? 'with' : 'without'} our module`)
})
