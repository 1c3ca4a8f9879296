// Stores that hold their sessions and are closed: loading is not measured, so it takes the fastest way that a store has.
const { makePlain } = require('./install.js')
const { stores } = require('./stores.js')

const atOnce = 2
const loaders = 1024

module.exports = { loadStores, startUsing }

// Those of `names` that come up. Two are loaded at a time, without syncs where a store allows that.
async function loadStores (context, names, sessions) {
  const waiting = names.filter((name) => !context.unavailable[name])
  const loaded = []
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      context.step(`${stores[name].title} takes ${sessions.toLocaleString('en')} sessions`)
      const loading = context.make(name, { BENCH_LOADING: 'true' })
      try {
        await loading.start()
        await loading.load(sessions, { loaders })
        await loading.stop()
        loaded.push(Object.assign(context.make(name, {}, loading.folder), { sessions }))
      } catch (error) {
        context.unavailable[name] = makePlain(error)
      }
    }
  }))
  return names.flatMap((name) => loaded.filter((one) => one.name === name))
}

// A new process of a loaded store, which ends after `measure`; that is told how long the engine took to open.
async function startUsing (one, measure) {
  const { openMilliseconds } = await one.start()
  try {
    await one.ask('use', { sessions: one.sessions })
    return await measure(openMilliseconds)
  } finally {
    await one.stop()
  }
}
