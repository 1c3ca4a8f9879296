module.exports = require('../facade/routes.js').gate
