// The real Dashboard, unchanged. STORAGE=dashboard-sled and the module in package.json are all that it needs to keep its data in
// this store.
const dashboard = require('@userdashboard/dashboard')

module.exports = dashboard.start(__dirname).then(() => dashboard)
