// SQLite as Node has it: from 24, `setReturnArrays` makes its rows cheap.
const { DatabaseSync } = require('node:sqlite')
const { makeEngine } = require('./sqlite.js')

module.exports = makeEngine((file) => new DatabaseSync(file), (database, text) => {
  const statement = database.prepare(text)
  statement.setReturnArrays(true)
  return {
    run: (...values) => statement.run(...values),
    get: (...values) => statement.get(...values)?.[0],
    all: (...values) => statement.all(...values).map(([column]) => column)
  }
})
