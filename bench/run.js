// `npm run bench`: this store and what else an operator could pick, side by side.
const { Bar, Presets } = require('cli-progress')
const { Command, InvalidArgumentError } = require('commander')
const fs = require('fs')
const path = require('path')
const { drawCharts } = require('./charts.js')
const growth = require('./growth.js')
const http = require('./http.js')
const { install, makePlain } = require('./install.js')
const { inspectMachine } = require('./machine.js')
const { makeReport } = require('./report.js')
const large = require('./large.js')
const latencies = require('./latencies.js')
const sizes = require('./sizes.js')
const sideBySide = require('./side-by-side.js')
const { StoreProcess } = require('./store-process.js')
const { stores } = require('./stores.js')

const target = path.join(__dirname, '..', 'target', 'bench')
const parts = [sideBySide, latencies, http, large, sizes, growth]
// With fewer accounts two patches in flight meet at one, and Dashboard's own module then loses one of them.
const fewest = 3000
const known = [...Object.keys(stores), 'limit']
const groups = parts.flatMap((part) => part.groups)

const options = new Command('npm run bench --')
  .description('Measures dashboard-sled beside the other stores that a Dashboard can have.')
  .option('--quick', 'shorter and rougher')
  .option('--only <names>', `of ${groups.join(', ')}, those named, with commas between`, oneOf(groups))
  .option('--stores <names>', `of ${known.join(', ')}, those named`, oneOf(known))
  .option('--sessions <number>', `how many sessions there are, and up to how many it grows, from ${fewest}`, wholeNumber(fewest))
  .option('--rounds <number>', 'how often each store has its turn', wholeNumber(1))
  .option('--output <folder>', 'where to write the results', (folder) => path.resolve(folder))
  .parse()
  .opts()

const running = []

async function main () {
  const wanted = { names: options.stores || known, groups: options.only || groups }
  const names = wanted.names.filter((name) => stores[name])
  const context = {
    groups: wanted.groups,
    names,
    hasLimit: wanted.names.includes('limit'),
    rounds: options.rounds || (options.quick ? 1 : 5),
    milliseconds: options.quick ? 100 : 150,
    sessions: options.sessions || (options.quick ? 5000 : 20000),
    growth: options.sessions || (options.quick ? 10000 : 1000000),
    make,
    openAll
  }
  context.unavailable = await install(wanted)
  fs.mkdirSync(target, { recursive: true })
  context.folder = fs.mkdtempSync(path.join(target, 'run-'))
  const chosen = parts.filter((part) => part.groups.some((group) => context.groups.includes(group)))
  const bar = new Bar({ format: '{bar} {percentage} % {title}', noTTYOutput: true, notTTYSchedule: 10000 }, Presets.shades_classic)
  bar.start(chosen.reduce((sum, part) => sum + part.steps(context), 0), 0, { title: '' })
  context.step = (title) => bar.increment(1, { title })
  const tables = []
  const minutesOf = {}
  try {
    for (const part of chosen) {
      const start = performance.now()
      try {
        tables.push(...await part.run(context))
      } catch (error) {
        process.exitCode = 1
        const title = part.groups.filter((group) => context.groups.includes(group)).join(', ')
        tables.push({ kind: 'failed', name: part.groups[0], title, rows: [{ title: 'failed', missing: makePlain(error) }] })
      }
      minutesOf[part.groups.join(', ')] = (performance.now() - start) / 60000
    }
  } finally {
    bar.stop()
    await Promise.all(running.map((one) => one.kill()))
    fs.rmSync(context.folder, { recursive: true, force: true })
  }
  const versions = Object.fromEntries(names.filter((name) => !context.unavailable[name]).map((name) => {
    const { title, version, settings, durable } = stores[name]
    return [name, { title, version: version(), settings, durable }]
  }))
  const { rounds, sessions, milliseconds } = context
  const minutes = performance.now() / 60000
  const results = { machine: inspectMachine(target), minutes, minutesOf, rounds, milliseconds, sessions, versions, tables }
  // Only a whole run is kept beside the code.
  const isWhole = !options.quick && !options.only && !options.stores && !options.sessions && !options.rounds
  const output = options.output || (isWhole ? path.join(__dirname, 'results') : path.join(target, 'results'))
  fs.mkdirSync(output, { recursive: true })
  fs.writeFileSync(path.join(output, 'latest.json'), JSON.stringify(results, undefined, 2) + '\n')
  if (!context.unavailable.charts) {
    drawCharts(results, output)
  }
  const report = await makeReport(results)
  fs.writeFileSync(path.join(output, 'latest.md'), `# Results of \`npm run bench\`\n\n${report}\n`)
  console.log(report)
  console.error(`\nThe results lie in ${path.relative(process.cwd(), output) || '.'}`)

  // The store called `name` in a process of its own, with more settings, on what is in `folder`.
  function make (name, env = {}, folder = fs.mkdtempSync(path.join(context.folder, `${name}-`))) {
    const one = new StoreProcess(name, folder, env)
    running.push(one)
    return one
  }

  // Those that come up, with their sessions; what does not is told beside the others.
  async function openAll (names) {
    const processes = []
    for (const name of names.filter((name) => !context.unavailable[name])) {
      context.step(`${stores[name].title}: opens and takes ${context.sessions} sessions`)
      const one = make(name)
      try {
        await one.start()
        await one.load(context.sessions)
        processes.push(one)
      } catch (error) {
        context.unavailable[name] = makePlain(error)
      }
    }
    return processes
  }
}

function oneOf (known) {
  return (text) => text.split(',').map((name) => {
    if (!known.includes(name)) {
      throw new InvalidArgumentError(`There is no ${name}.`)
    }
    return name
  })
}

function wholeNumber (least) {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) < least) {
      throw new InvalidArgumentError(`It has to be a whole number from ${least}.`)
    }
    return Number(text)
  }
}

main().catch((error) => {
  console.error(makePlain(error))
  process.exitCode = 1
})
