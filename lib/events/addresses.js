// Which addresses a webhook may be sent to. The address of the connection is checked, and not the name: a name may resolve to
// another address each time.
const dns = require('dns')
const { failure } = require('../errors.js')

module.exports = { isPublic, lookUpPublic, refusal }

// Returns whether an address is neither private nor reserved for any other purpose.
function isPublic (address) {
  const ipaddr = require('ipaddr.js')
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}

// A replacement for dns.lookup that leaves out addresses which are not public.
function lookUpPublic (hostname, options, callback) {
  dns.lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = error ? [] : found.filter(({ address }) => isPublic(address))
    if (error || !addresses.length) {
      return callback(error || refusal())
    }
    return options.all ? callback(null, addresses) : callback(null, addresses[0].address, addresses[0].family)
  })
}

// Seen by no caller: the webhook warns of it.
function refusal () {
  return failure('address-refused', 'address-refused')
}
