// The records that this package keeps beside Dashboard's. lib/audit/names.js makes their names, and src/record/keys.rs those of new
// entries.
const OWN = 'dashboard-sled/'
// Number and hash of the last entry of the audit, the number of the first one that is kept, and the hash of the one before.
const HEAD = `${OWN}head`

const ENTRY = `${OWN}entry/`
const NEW_ENTRY = `${OWN}new-entry/`

module.exports = { HEAD, NEW_ENTRY, OWN, isOfAudit }

// Returns whether a record is the head, an entry, or has new entries.
function isOfAudit (record) {
  return record === HEAD || record.startsWith(ENTRY) || record.startsWith(NEW_ENTRY)
}
