// `npm run bench`: this store and what else an operator could pick, side by side.
const { Bar, Presets } = require('cli-progress')
const { Command, InvalidArgumentError } = require('commander')
const fs = require('fs')
const path = require('path')
const { install, makePlain } = require('./install.js')
const { describeMachine } = require('./machine.js')
const { makeReport } = require('./report.js')
const sideBySide = require('./side-by-side.js')
const { StoreProcess } = require('./store-process.js')
const { stores } = require('./stores.js')

const target = path.join(__dirname, '..', 'target', 'bench')
const parts = [sideBySide]
const groups = parts.flatMap((part) => part.groups)

const options = new Command('npm run bench --')
  .description('Measures dashboard-sled beside the other stores that a Dashboard can have.')
  .option('--quick', 'shorter and rougher, and kept apart from the results that are shown')
  .option('--only <names>', `of ${groups.join(', ')}, those named, with commas between`, oneOf(groups))
  .option('--stores <names>', `of ${Object.keys(stores).join(', ')}, those named`, oneOf(Object.keys(stores)))
  .option('--sessions <number>', 'how many sessions there are, at most where it grows', wholeNumber)
  .option('--rounds <number>', 'how often each store has its turn', wholeNumber)
  .option('--output <folder>', 'where to write the results', (folder) => path.resolve(folder))
  .parse()
  .opts()

async function main () {
  const rounds = options.rounds || (options.quick ? 3 : 5)
  const unavailable = await install(options.stores || Object.keys(stores))
  fs.mkdirSync(target, { recursive: true })
  const folder = fs.mkdtempSync(path.join(target, 'run-'))
  const names = (options.stores || Object.keys(stores)).filter((name) => !unavailable[name])
  const context = {
    folder,
    groups: options.only || groups,
    names,
    unavailable,
    rounds,
    milliseconds: options.quick ? 200 : 500,
    sessions: options.sessions || 20000,
    openAll: (names) => openAll(context, names)
  }
  const chosen = parts.filter((part) => part.groups.some((group) => context.groups.includes(group)))
  const bar = new Bar({ format: '{bar} {percentage} % {title}', noTTYOutput: true, notTTYSchedule: 10000 }, Presets.shades_classic)
  bar.start(chosen.reduce((sum, part) => sum + part.steps(context), 0), 0, { title: '' })
  context.step = (title) => bar.increment(1, { title })
  const tables = []
  try {
    for (const part of chosen) {
      tables.push(...await part.run(context))
    }
  } finally {
    bar.stop()
    await Promise.all(running.map((one) => one.kill()))
    fs.rmSync(folder, { recursive: true, force: true })
  }
  const versions = Object.fromEntries(names.map((name) => {
    const { title, version, settings, durable } = stores[name]
    return [name, { title, version: version(), settings, durable }]
  }))
  const found = { date: new Date().toISOString().slice(0, 10), machine: describeMachine(target), rounds, sessions: context.sessions, versions, unavailable, tables }
  // Only a whole run is shown beside the code.
  const isWhole = !options.quick && !options.only && !options.stores
  const output = options.output || (isWhole ? path.join(__dirname, 'results') : path.join(target, 'results'))
  fs.mkdirSync(output, { recursive: true })
  fs.writeFileSync(path.join(output, 'latest.json'), JSON.stringify(found, undefined, 2) + '\n')
  console.log(await makeReport(found))
}

const running = []

// Those that come up, with their sessions; what does not is told beside the others.
async function openAll (context, names) {
  const processes = []
  for (const name of names) {
    context.step(`${stores[name].title}: opens and takes ${context.sessions} sessions`)
    const one = new StoreProcess(name, fs.mkdtempSync(path.join(context.folder, `${name}-`)))
    running.push(one)
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

function oneOf (known) {
  return (text) => text.split(',').map((name) => {
    if (!known.includes(name)) {
      throw new InvalidArgumentError(`There is no ${name}.`)
    }
    return name
  })
}

function wholeNumber (text) {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new InvalidArgumentError('It has to be a whole number from 1.')
  }
  return Number(text)
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
