// Ends of sessions in a line for people.
const { momentText } = require('./moment.js')

module.exports = { actorText, describeEnd }

function describeEnd ({ cause, ended, actor, address, reason, number }) {
  const by = actorText(actor)
  return [
    ended ? momentText(ended) : 'at a time that is not known',
    cause,
    ...(by ? [`by ${by}${address ? ` from ${address}` : ''}`] : []),
    ...(reason ? [`"${reason}"`] : []),
    ...(number ? [`entry ${number} of the audit`] : [])
  ].join(', ')
}

// Returns an empty text if it is not known who it was.
function actorText (actor) {
  return actor ? [actor.type, actor.user || actor.accountid].filter(Boolean).join(' ') : ''
}
