// Coverage-guided fuzzing of everything that reads bytes from the disk or text from a record. Needs a nightly
// toolchain and cargo-fuzz; starts from the seeds in fuzz/seeds.
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..', '..')
const targets = ['disk', 'record']

module.exports = { run }

async function run ({ long }) {
  if (spawnSync('cargo', ['+nightly', 'fuzz', '--version']).status !== 0) {
    return [{ fault: 'fuzzing', skipped: 'there is no nightly toolchain of Rust with cargo-fuzz (cargo install cargo-fuzz)' }]
  }
  return targets.map((target) => fuzz(target, long ? 120 : 20))
}

function fuzz (target, seconds) {
  const folder = path.join(root, 'fuzz', 'corpus', target)
  fs.mkdirSync(folder, { recursive: true })
  const args = ['+nightly', 'fuzz', 'run', '--sanitizer', 'none', target, folder, path.join(root, 'fuzz', 'seeds', target), '--', `-max_total_time=${seconds}`, '-print_final_stats=1']
  const { status, stderr } = spawnSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, timeout: (seconds + 600) * 1000 })
  if (status !== 0) {
    console.error(stderr.slice(-3000))
  }
  const tried = Number((/stat::number_of_executed_units: +(\d+)/.exec(stderr) || [])[1] || 1)
  return { fault: `fuzzing: ${target}`, tried, lost: status === 0 ? 0 : 1 }
}
