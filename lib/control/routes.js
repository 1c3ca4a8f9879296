// The routes of the server of a running dashboard. A route gets the active module, the request and the response. A further one is a
// line in the table.
const { failure, invalid, leaveChanged } = require('../errors.js')
const { metricsText, metricsType } = require('../metrics.js')
const { progress } = require('../native.js')
const { NEVER } = require('../audit/names.js')
const { version } = require('../../package.json')
const { operations } = require('./operations.js')
const { EVERY_MS, OPERATION, PROTOCOL } = require('./protocol.js')

const HEALTH_MS = 2000
const LONGEST_BODY = 1024 * 1024

const routes = {
  'GET /': about,
  'GET /health': health,
  'GET /metrics': async (module, request, response) => answerText(response, metricsType, await metricsText())
}

module.exports = { answer }

async function answer (module, request, response) {
  try {
    const [path] = request.url.split('?')
    const name = `${request.method} ${path}`
    if (Object.hasOwn(routes, name)) {
      await routes[name](module, request, response)
    } else if (request.method === 'POST' && path.startsWith(OPERATION) && Object.hasOwn(operations, path.slice(OPERATION.length))) {
      await operate(operations[path.slice(OPERATION.length)], module, request, response)
    } else {
      answerJson(response, 404, { error: describe(invalid('invalid-route')) })
    }
  } catch (error) {
    answerJson(response, 400, { error: describe(error) })
  }
}

function about (module, request, response) {
  answerJson(response, 200, { name: 'dashboard-sled', version, protocol: PROTOCOL, process: process.pid })
}

// Asks for a change that is never made: it goes the way of every change, so a store that refuses changes refuses this one.
async function health ({ store }, request, response) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(failure('store-busy', 'ERR_STORE_BUSY', `the store did not answer within ${HEALTH_MS / 1000} s`)), HEALTH_MS)
  })
  try {
    await Promise.race([late, store.replace([NEVER], [NEVER], [], []).catch(leaveChanged)])
    answerJson(response, 200, { ok: true })
  } catch (error) {
    answerJson(response, 503, { ok: false, ...describe(error) })
  } finally {
    clearTimeout(timer)
  }
}

// Answers with lines of JSON: `progress` while the operation runs, then its `report` or its `error`. An operation whose caller has
// gone is told so by its signal.
async function operate (operation, module, request, response) {
  const params = await readBody(request)
  const gone = new AbortController()
  response.on('close', () => gone.abort(invalid('caller-gone')))
  const context = { module, appid: global.appid, isRunning: true, signal: gone.signal, done: progress }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const write = (line) => response.write(`${JSON.stringify(line)}\n`)
  write({ progress: 0 })
  const timer = setInterval(() => write({ progress: context.done() }), EVERY_MS)
  timer.unref()
  try {
    const report = await operation(context, params)
    write({ report })
  } catch (error) {
    write({ error: describe(error) })
  } finally {
    clearInterval(timer)
    response.end()
  }
}

async function readBody (request) {
  let text = ''
  for await (const part of request.setEncoding('utf8')) {
    text += part
    if (text.length > LONGEST_BODY) {
      throw invalid('invalid-body', 'it is too long')
    }
  }
  const params = parse(text)
  if (!params || typeof params !== 'object' || Array.isArray(params)) {
    throw invalid('invalid-body', 'it is not an object of JSON')
  }
  return params
}

function parse (text) {
  try {
    return JSON.parse(text)
  } catch (error) {
  }
}

// An error without a code is a bug; its stack is for the one who runs the dashboard.
function describe (error) {
  const { message, code, detail, syscall, path } = error
  if (!code) {
    process.emitWarning(`dashboard-sled failed to answer the command line: ${error.stack}`, { code: 'DASHBOARD_SLED_CONTROL' })
  }
  return { message, code: code || 'ERR_INVALID', detail, syscall, path }
}

function answerJson (response, status, value) {
  if (!response.headersSent) {
    answerText(response, 'application/json', `${JSON.stringify(value)}\n`, status)
  }
}

function answerText (response, type, text, status = 200) {
  response.writeHead(status, { 'content-type': type })
  response.end(text)
}
