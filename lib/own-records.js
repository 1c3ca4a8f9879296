// The records that this package keeps beside Dashboard's. lib/audit/names.js makes their names; src/record/keys.rs is the twin.
const OWN = 'dashboard-sled/'
// Number and hash of the last entry of the audit, the number of the first one that is kept, and the hash of the one before.
const HEAD = `${OWN}head`

module.exports = { HEAD, OWN }
