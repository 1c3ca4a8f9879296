// A disk that hangs: calls are given up on after SLED_COMMIT_SECONDS, reads go on, the process ends. One that is slow: what is
// written takes its time.
const { fork } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { compile } = require('./shim.js')

const fixtures = path.join(__dirname, 'fixtures')

module.exports = { run }

async function run () {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dashboard-sled-watchdog-'))
  const shim = compile('slow', folder)
  if (!shim) {
    return [{ fault: 'a disk that hangs', skipped: 'there is no gcc' }]
  }
  const env = { ...process.env, LD_PRELOAD: shim, SLED_COMMIT_SECONDS: '1', SLED_PATH: path.join(folder, 'store'), SLOW_FLAG: path.join(folder, 'slow') }
  const slow = { ...process.env, LD_PRELOAD: shim, SLOW_MS: '150', SLED_PATH: path.join(folder, 'slow-store') }
  const { answer: { codes } } = await ask(path.join(fixtures, 'slow-drive.js'), slow)
  const { answer, seconds } = await ask(path.join(fixtures, 'hanging.js'), env)
  const late = []
  const kinds = ['read', 'guard', 'room']
  for (const kind of kinds) {
    const hanging = { ...process.env, LD_PRELOAD: compile('hanging', folder), HANG: kind, HANG_FLAG: path.join(folder, kind), HANG_SECONDS: '60', SLED_PATH: path.join(folder, `${kind}-store`) }
    const { answer: { answers } } = await ask(path.join(fixtures, 'hanging-calls.js'), hanging)
    late.push(...answers.filter(({ code, seconds }) => code !== 'ERR_STORE_POISONED' || seconds > 20).map((answer) => ({ kind, ...answer })))
  }
  if (late.length) {
    console.error(late)
  }
  fs.rmSync(folder, { recursive: true, maxRetries: 5 })
  const stuck = ({ code, cause }) => code === 'ERR_STORE_POISONED' && cause === 'ERR_STORE_STUCK'
  const checks = [
    answer.hanging.length === 3 && answer.hanging.every(stuck),
    answer.seconds < 20,
    stuck(answer.later),
    answer.read.result === 'contents',
    // The end of the process waits for what hangs, but not for ever.
    seconds < 50
  ]
  if (checks.includes(false)) {
    console.error(checks, answer, seconds)
  }
  const failed = codes.filter((code) => code !== 'done')
  if (failed.length) {
    console.error(codes)
  }
  return [
    { fault: 'a disk that hangs', tried: checks.length, lost: checks.filter((kept) => !kept).length },
    { fault: 'a large write on a slow disk', tried: codes.length, lost: failed.length },
    { fault: 'a read, the sync of the guard, or the look at the free room hangs', tried: 4 * kinds.length, lost: late.length }
  ]
}

function ask (script, env) {
  const began = Date.now()
  return new Promise((resolve, reject) => {
    const child = fork(script, { env, timeout: 180000 })
    let answer
    child.on('message', (message) => { answer = message })
    child.on('close', () => answer ? resolve({ answer, seconds: (Date.now() - began) / 1000 }) : reject(new Error(`${script} gave no answer`)))
  })
}
