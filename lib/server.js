module.exports = require('./routes.js').gate
