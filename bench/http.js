// Whole requests to a running Dashboard, by an administrator who is signed in.
const data = require('./data.js')
const { makeTable, measureRounds } = require('./compare.js')

const group = 'http'
const title = '`GET /api/administrator/session`, 64 connections'
const measured = ['sled', 'redis-always', 'redis', 'files']
const connections = 64
const paths = 1000
const ahead = { least: 1 }

module.exports = { groups: [group], run, steps: (context) => chosen(context).length * (2 + context.rounds) }

function chosen ({ names }) {
  return names.filter((name) => measured.includes(name))
}

async function run (context) {
  if (context.unavailable[group]) {
    const rows = [{ title: 'all', missing: context.unavailable[group] }]
    return [{ kind: 'stores', name: group, title, rows }]
  }
  const processes = await context.openAll(chosen(context))
  for (const one of processes) {
    one.cookie = await one.ask('administrator')
  }
  const result = await measureRounds(context, title, processes, (one) => request(one, context))
  const problems = {}
  for (const one of processes) {
    context.step(`${one.store.title}: is it consistent`)
    problems[one.name] = await one.check()
    await one.remove()
  }
  const goals = { redis: ahead, 'redis-always': ahead, files: ahead }
  const table = { name: group, title, unit: 'requests per second', higherIsBetter: true, goals }
  return [makeTable(context, table, chosen(context), result, problems)]
}

// Each answer has to be a session: who is not signed in gets a page with status 200.
async function request (one, { milliseconds, sessions }) {
  const autocannon = require('./peers/node_modules/autocannon')
  const requests = Array.from({ length: Math.min(sessions, paths) }, (_, i) => ({
    path: `/api/administrator/session?sessionid=${data.sessionId(i)}`
  }))
  const before = await one.processor()
  const { '2xx': answered, duration, errors, mismatches, non2xx } = await autocannon({
    url: `http://127.0.0.1:${one.port}`,
    connections,
    duration: milliseconds * 4 / 1000,
    headers: { cookie: one.cookie },
    requests,
    verifyBody: (body) => String(body).startsWith('{"object":"session"')
  })
  if (errors || mismatches || non2xx) {
    throw new Error(`${errors} errors, ${non2xx} answers of another status, ${mismatches} that are no session`)
  }
  return { value: answered / duration, processor: (await one.processor() - before) / answered }
}
