// The handler of this module: Dashboard finds it by `dashboard.server` in package.json.
module.exports = require('./routes.js').gate
