module.exports = require('../../../facade/routes.js').Session
