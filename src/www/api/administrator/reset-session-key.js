module.exports = require('../../../facade/routes.js').ResetSessionKey
