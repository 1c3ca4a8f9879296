const Database = require('better-sqlite3')
const { makeEngine } = require('./sqlite.js')

module.exports = makeEngine((file) => new Database(file), (database, text) => {
  const statement = database.prepare(text)
  return statement.reader ? statement.pluck() : statement
})
