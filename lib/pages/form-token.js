// A token in each form, which shows that this dashboard made the form for this session. Dashboard's cookies are SameSite=strict, which
// stops forms of other sites; the token also stops those of other hosts under the same domain. Its first half is the idempotency key,
// so a double click is one end.
const { createHmac, randomUUID, timingSafeEqual } = require('crypto')

module.exports = { makeFormToken, readFormToken }

function makeFormToken (req) {
  const id = randomUUID()
  return `${id}.${prove(req, id)}`
}

// Returns the id of the form, undefined if it is of another session or was made up.
function readFormToken (req) {
  const [, id, proof] = /^([0-9a-f-]{36})\.([0-9a-f]{64})$/.exec(req.body?.form) || []
  if (id && timingSafeEqual(Buffer.from(proof), Buffer.from(prove(req, id)))) {
    return id
  }
}

function prove ({ session }, id) {
  if (!session?.tokenHash) {
    throw new Error('invalid-session')
  }
  return createHmac('sha256', session.tokenHash).update(`dashboard-sled form ${id}`).digest('hex')
}
