#!/usr/bin/env node
// The command-line tool, over the public API. Exit codes: 0 done, 1 something is wrong with what was looked at,
// 2 it could not be done.
const { Command } = require('commander')
const { Bar, Presets } = require('cli-progress')
const fs = require('fs')
const path = require('path')
const addon = require('../index.js')
const { version } = require('../package.json')

const program = new Command('dashboard-sled')
  .description('Looks after a store of dashboard-sled. Stop the dashboard first: a store belongs to one process at a time.')
  .version(version)
  .option('--store <folder>', 'the folder of the store', process.env.SLED_PATH || path.join('data', 'dashboard.sled'))
  .option('--json', 'print one line of JSON instead of text')
  .exitOverride((error) => process.exit(error.exitCode ? 2 : 0))

program.command('verify')
  .description('reads everything: checksums, lists and their counters, pieces of large values, the guard')
  .action(run(async (store) => {
    requireStore(store)
    const report = await addon.verify({ path: store })
    return {
      code: report.problems ? 1 : 0,
      report,
      text: [...holds(report), ...report.described, report.problems ? `${report.problems} problems` : 'nothing is wrong']
    }
  }))

program.command('backup')
  .description('copies the store into an empty folder, and reads the copy')
  .argument('<folder>', 'where to')
  .action(run(async (store, folder) => {
    requireStore(store)
    const report = await addon.backup({ path: store, folder })
    return { report, text: [...holds(report), `the backup in ${folder} was read and is whole`] }
  }))

program.command('restore')
  .description('puts a backup in place of the store, which is kept beside it, and ends every session')
  .argument('<folder>', 'the backup')
  .option('--keep-sessions', 'let the sessions of the backup live on, those that were ended since included')
  .action(run(async (store, folder, { keepSessions }) => {
    const report = await addon.restore({ path: store, folder, keepSessions })
    return { report, text: [...holds(report.backup), ...ended(report.ended), report.replaced ? `the store that was there is kept in ${report.replaced}` : 'there was no store before'] }
  }))

program.command('recover')
  .description('accepts a store that has gone back in time')
  .option('--invalidate-sessions', 'end every session of every account, so that none that was ended lives again')
  .action(run(async (store, { invalidateSessions }) => {
    requireStore(store)
    const report = await addon.recover({ path: store, invalidateSessions })
    return { report, text: [...ended(report), `the store in ${store} can be used again`] }
  }))

program.parseAsync()

// Wraps an action: progress for people, the report, the exit code.
function run (action) {
  return async (...args) => {
    const options = program.opts()
    const store = path.resolve(options.store)
    const bar = options.json ? undefined : showProgress(store)
    try {
      const { code = 0, report, text } = await action(store, ...args)
      bar?.end()
      console.log(options.json ? JSON.stringify(report) : text.join('\n'))
      process.exitCode = code
    } catch (error) {
      bar?.end()
      const { message, code, detail } = error
      if (!code) {
        throw error
      }
      if (options.json) {
        console.log(JSON.stringify({ error: { message, code, detail } }))
      } else {
        console.error(`${message}: ${detail || code}`)
      }
      // Damage, or a store that went back in time, is what was looked for; the rest stood in the way.
      process.exitCode = ['ERR_STORE_DAMAGED', 'ERR_STORE_GUARD', 'ERR_STORE_ROLLED_BACK'].includes(code) ? 1 : 2
    }
  }
}

// A bar on work that takes over a second, on a terminal only.
function showProgress (store) {
  const bar = new Bar({ clearOnComplete: true, format: '{bar} {value} of about {total} MB' }, Presets.shades_classic)
  const megabytes = (bytes) => Math.round(bytes / 1e6)
  const log = path.join(store, 'sled', 'db')
  const total = fs.existsSync(log) ? megabytes(fs.statSync(log).size) : 0
  let shown = false
  const timer = setInterval(() => {
    if (!shown && process.stderr.isTTY) {
      bar.start(total, 0)
      shown = true
    }
    if (shown) {
      bar.update(megabytes(addon.progress()))
    }
  }, 1000)
  return { end: () => clearInterval(timer) || (shown && bar.stop()) }
}

// Opening a folder makes a store of it, which is not what a mistyped path should do.
function requireStore (store) {
  if (!fs.existsSync(path.join(store, 'guard')) && !fs.existsSync(path.join(store, 'sled'))) {
    throw Object.assign(new Error('store-missing'), { code: 'ERR_STORE_MISSING', detail: `there is no store in ${store}; name its folder with --store or SLED_PATH` })
  }
}

function holds ({ records, lists, items, bytes }) {
  return [`${records} records, ${lists} lists with ${items} items, ${bytes} bytes`]
}

function ended (report) {
  return report
    ? [`every session of ${report.accounts} accounts was ended`, ...(report.others ? [`${report.others} records under keys of accounts are none, and were left`] : [])]
    : ['the sessions of the backup live on']
}
