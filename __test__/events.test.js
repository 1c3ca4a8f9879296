/* eslint-env mocha */
const assert = require('assert')
const fs = require('fs')
const path = require('path')
const { makeApplication } = require('./contract/make-application.js')
const { makeFolder } = require('./helper.js')
const { runStep } = require('./helpers/real-dashboard.js')
const { secret, startReceiver } = require('./helpers/receiver.js')

const token = 'a-token-of-the-operator'

describe('events and metrics in Dashboard', () => {
  let folder, receiver
  beforeEach(async () => {
    folder = makeFolder()
    makeApplication(folder, ['dashboard-sled'])
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await receiver.close()
    fs.rmSync(folder, { recursive: true })
  })

  it('watch and the webhook tell of ends that Dashboard and administrators make', async () => {
    const { refused, again, watched, undelivered, asked, asUser, page, last, inactive, loaded, warnings } = await step('ends', {
      SLED_WEBHOOK_URL: receiver.url.href, SLED_WEBHOOK_SECRET: secret, SLED_WEBHOOK_PRIVATE: 'allow'
    })
    assert.deepStrictEqual(watched.map(({ number, cause, initiating_entity: by }) => [number, cause, by]), [
      [1, 'signed-out', 'user'], [2, 'ended-by-administrator', 'admin'], [3, 'session-key-reset', 'system']
    ])
    assert.deepStrictEqual(receiver.requests.map(({ event }) => event.data), watched)
    assert.deepStrictEqual([undelivered, asked], [{ count: 0, events: [] }, { count: 0, events: [] }])
    assert.strictEqual(asUser, 500)
    assert(/waits for the webhook<\/th><td>\d+ s</.test(page) && /the webhook gave up<\/th><td>0</.test(page), page)
    assert.deepStrictEqual(refused, {
      nothing: 'invalid-number', both: 'invalid-number', unknown: 'invalid-number', number: 'invalid-number', negative: 'invalid-number', flag: 'invalid-all', cursor: 'invalid-cursor', appid: 'invalid-appid', requests: Array(4).fill('invalid-appid ERR_INVALID')
    })
    assert.deepStrictEqual(again, { retried: 0, left: 0 })
    assert.deepStrictEqual([last, inactive, warnings], [{ done: true }, 'module-inactive', []])
    assert.deepStrictEqual(loaded, ['standardwebhooks'])
  }).timeout(60000)

  it('without the settings nothing is sent, and no library is loaded', async () => {
    const { watched, loaded, page } = await step('ends')
    assert.deepStrictEqual([watched.length, receiver.requests, loaded], [3, [], []])
    assert(page.includes('Changes that wait') && !page.includes('webhook'))
  }).timeout(60000)

  it('metrics need the token, and name nobody', async () => {
    const { before, answers, after, texts, ids, warnings } = await step('metrics', { SLED_METRICS_TOKEN: token })
    const statuses = Object.fromEntries(Object.entries(answers).map(([name, { status }]) => [name, status]))
    assert.deepStrictEqual(statuses, { none: 401, wrong: 401, basic: 401, empty: 401, cookie: 401, post: 405, head: 200, other: 404 })
    assert(Object.values(answers).every(({ body }) => !body.includes('dashboard_')))
    assert.strictEqual(answers.head.body, '')
    const [first, second] = [before, after].map(({ body }) => read(body))
    assert.deepStrictEqual([first.get('dashboard_sign_ins_total'), second.get('dashboard_sign_ins_total')], [1, 2])
    assert.deepStrictEqual([first.get('dashboard_sessions_listed'), second.get('dashboard_sessions_listed')], [1, 2])
    assert.strictEqual(second.get('dashboard_sessions_in_use'), 2)
    assert.deepStrictEqual([...second].filter(([name]) => name.startsWith('dashboard_ends_total')).sort(), [
      ['dashboard_ends_total{cause="application-wide"}', 1],
      ['dashboard_ends_total{cause="ended-by-administrator"}', 1],
      ['dashboard_ends_total{cause="session-key-reset"}', 1]
    ])
    assert.deepStrictEqual([first.get('dashboard_reset_seconds_count'), second.get('dashboard_reset_seconds_count')], [0, 1])
    assert(second.get('dashboard_reset_seconds_sum') > 0)
    assert.strictEqual(second.get('dashboard_reset_seconds_bucket{le="+Inf"}'), 1)
    assert.strictEqual(second.get('dashboard_reset_seconds_bucket{le="10"}'), 1)
    assert.strictEqual(second.get('dashboard_audit_entries'), 3)
    assert(second.get('dashboard_store_commits_total') > first.get('dashboard_store_commits_total'))
    for (const name of ['dashboard_store_sync_seconds{quantile="0.5"}', 'dashboard_store_sync_seconds{quantile="0.99"}', 'dashboard_store_disk_bytes', 'dashboard_store_cache_bytes', 'dashboard_store_cache_hits_total']) {
      assert(second.get(name) > 0, name)
    }
    assert.strictEqual(second.get('dashboard_store_waiting_changes'), 0)
    assert.strictEqual(second.get('dashboard_store_stale_writes_total'), 0)
    // No webhook is set.
    assert(![...second.keys()].some((name) => name.includes('webhook')))
    const counts = (text) => text.split('\n').filter((line) => /^dashboard_(sign|ends|audit)/.test(line))
    texts.forEach((text) => assert.deepStrictEqual(counts(text), counts(after.body)))
    ids.forEach((id) => assert(!after.body.includes(id), id))
    assert.deepStrictEqual(warnings, [])
  }).timeout(60000)

  it('without a token there is no page with metrics', async () => {
    const { before, answers } = await step('metrics')
    assert.deepStrictEqual([before.status, answers.none.status, answers.post.status], [404, 404, 404])
  }).timeout(60000)

  it('the metrics of the dashboard for Grafana are those that are exported', async () => {
    const { after } = await step('metrics', { SLED_METRICS_TOKEN: token, SLED_WEBHOOK_URL: receiver.url.href, SLED_WEBHOOK_SECRET: secret, SLED_WEBHOOK_PRIVATE: 'allow' })
    const exported = [...after.body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) => type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name])
    assert.deepStrictEqual(new Set([...after.body.matchAll(/^(\w+)[ {]/gm)].map(([, name]) => name)), new Set(exported))
    const dashboard = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'examples', 'grafana', 'dashboard.json'), 'utf8'))
    const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    const drawn = new Set(expressions.flatMap((expr) => expr.match(/\bdashboard_\w+/g)))
    assert.deepStrictEqual([...drawn].filter((name) => !exported.includes(name)), [])
    assert.deepStrictEqual(exported.filter((name) => !drawn.has(name)), [])
    // Labels as well.
    for (const [, labels] of expressions.join('\n').matchAll(/by \(([^)]*)\)/g)) {
      assert(labels.split(/, */).every((label) => ['le', 'cause', 'quantile', 'result'].includes(label)), labels)
    }
  }).timeout(60000)

  async function step (name, env = {}) {
    return runStep('events.js', name, undefined, { application: folder, store: path.join(folder, 'store'), env })
  }
})

// Returns the samples of a scrape by name and labels.
function read (text) {
  return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const space = line.lastIndexOf(' ')
    return [line.slice(0, space), Number(line.slice(space + 1))]
  }))
}
