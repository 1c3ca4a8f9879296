// The real Dashboard, unchanged. STORAGE=dashboard-sled and the module named in package.json
// are all it takes to keep its data in a store on sled.
const dashboard = require('@userdashboard/dashboard')

module.exports = dashboard.start(__dirname).then(() => dashboard)
