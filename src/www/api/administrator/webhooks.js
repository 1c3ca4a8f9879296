// Here, and not in lib/, because the host finds the routes of a module under src/www by their file names.
module.exports = require('../../../../lib/routes.js').administrator.Webhooks
