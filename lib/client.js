// The address and the user agent of a request. Dashboard's `req.ip` takes the first address of X-Forwarded-For, which anybody can
// write; here only proxies that are named are believed.
const net = require('net')
const { shorten } = require('./attribution.js')

module.exports = { clientReader, readProxies }

// Returns a function of a request. `proxies` is a net.BlockList.
function clientReader (proxies, isKept) {
  return isKept ? (req) => ({ address: addressOf(req, proxies), agent: agentOf(req) }) : () => undefined
}

function addressOf ({ socket, headers }, proxies) {
  let address = plain(socket?.remoteAddress)
  const header = headers?.['x-forwarded-for']
  if (!header || !address) {
    return address
  }
  // The last proxy is the nearest one, and each adds the address that it saw at the end.
  const forwarded = String(header).split(',')
  while (forwarded.length && isIn(proxies, address)) {
    const before = plain(forwarded.pop().trim())
    if (!net.isIP(before)) {
      break
    }
    address = before
  }
  return address
}

// An address of IPv4 in the form that a socket for both has.
function plain (address) {
  return address?.replace(/^::ffff:(?=\d+\.)/, '')
}

function isIn (proxies, address) {
  const family = net.isIP(address)
  return family !== 0 && proxies.check(address, `ipv${family}`)
}

function agentOf ({ headers }) {
  const agent = headers?.['user-agent']
  return agent && shorten(agent)
}

// Reads addresses and networks, separated by commas. `refuse` is called with one that is neither, and throws.
function readProxies (text, refuse) {
  const proxies = new net.BlockList()
  for (const item of (text || '').split(',').map((item) => item.trim()).filter(Boolean)) {
    const [address, bits] = item.split('/')
    const family = net.isIP(address)
    const most = family === 6 ? 128 : 32
    if (!family || (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= most))) {
      refuse(item)
    }
    proxies.addSubnet(address, bits === undefined ? most : Number(bits), `ipv${family}`)
  }
  return proxies
}
