// A receiver of webhooks on loopback.
const { once } = require('events')
const http = require('http')
const { Webhook } = require('standardwebhooks')

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

module.exports = { secret, startReceiver }

// `answer` is called with each event and the number of times that it came; it returns a status, with headers
// and a text, or `hang`, or `endless`.
async function startReceiver (answer = () => 204) {
  const requests = []
  const times = new Map()
  const receiver = { answer, requests, accepted: [] }
  const server = http.createServer((req, res) => {
    let body = ''
    req.on('data', (data) => { body += data })
    req.on('end', () => {
      const event = new Webhook(secret).verify(body, req.headers)
      const id = req.headers['webhook-id']
      times.set(id, (times.get(id) || 0) + 1)
      requests.push({ id, event, body, headers: req.headers, path: req.url, at: Date.now() })
      const found = receiver.answer(event.data, times.get(id), requests.length)
      if (found === 'hang') {
        return
      }
      if (found === 'endless') {
        const timer = setInterval(() => res.write('x'.repeat(8192)), 1)
        return res.on('close', () => clearInterval(timer))
      }
      const [status, headers = {}, text = ''] = [found].flat()
      if (status >= 200 && status < 300) {
        receiver.accepted.push(event.data.number)
      }
      res.writeHead(status, headers)
      res.end(text)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  receiver.url = new URL(`http://127.0.0.1:${server.address().port}/hook?key=a-key`)
  receiver.close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return receiver
}
