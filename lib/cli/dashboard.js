// The tool's side of the conversation with a running dashboard: see lib/control.
const fs = require('fs')
const http = require('http')
const os = require('os')
const path = require('path')
const { failure } = require('../errors.js')
const { findPlace } = require('../control-socket.js')
const { OPERATION, PROTOCOL } = require('../control/protocol.js')
const { LOCK } = require('../store-files.js')
const { version } = require('../../package.json')

// The dashboard has to answer within two seconds of the start of the tool.
const GREETING_MS = 1500
// During an operation it says something twice a second. If it does not, that is said after a while, and later the tool gives up.
const SILENT_MS = 2000
const GONE_MS = 60 * 1000

// Codes of a connection that the other side has ended, or that it no longer accepts.
const BROKEN = ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE']

module.exports = { connect }

// Returns the dashboard that has the store in `folder` open, or undefined. `call` carries out an operation there.
async function connect (folder) {
  const place = findPlace(folder)
  if (!place) {
    return
  }
  const dashboard = { folder, socketPath: place.path }
  try {
    const about = await greet(dashboard)
    if (about) {
      checkVersion(about)
      return { call: (name, params, onProgress) => call(dashboard, name, params, onProgress), end: place.close }
    }
  } catch (error) {
    place.close()
    throw error
  }
  place.close()
}

// Returns undefined if nothing listens any more.
async function greet (dashboard) {
  try {
    const response = await request(dashboard, 'GET', '/', undefined, GREETING_MS)
    const about = JSON.parse(await readAll(response))
    if (about.name !== 'dashboard-sled') {
      throw new SyntaxError('another program')
    }
    return about
  } catch (error) {
    if (['ECONNREFUSED', 'ENOENT'].includes(error.code)) {
      return
    }
    if (['EACCES', 'EPERM'].includes(error.code)) {
      throw failure('not-permitted', 'ERR_NOT_PERMITTED', `the dashboard that has the store in ${dashboard.folder} open listens to its own user alone; run this as that user`)
    }
    // A queue of connections that is full.
    if (error.code === 'EAGAIN') {
      throw stuck(dashboard.folder, GREETING_MS)
    }
    if (error instanceof SyntaxError) {
      throw failure('dashboard-unknown', 'ERR_DASHBOARD_UNKNOWN', `the program that listens in ${dashboard.folder} is not a dashboard of this package; stop it, or remove the file control there`)
    }
    throw error.code === 'ECONNRESET' ? gone() : error
  }
}

function checkVersion (about) {
  if (about.protocol !== PROTOCOL) {
    throw failure('dashboard-version', 'ERR_DASHBOARD_VERSION', `the dashboard runs version ${about.version} of dashboard-sled, and this tool of version ${version} cannot talk to it; restart the dashboard, or use the tool of that version`)
  }
  if (about.version !== version) {
    process.emitWarning(`the dashboard runs version ${about.version} of dashboard-sled, and this tool is of version ${version}; restart the dashboard to run the version that is installed`, { code: 'DASHBOARD_SLED_VERSION' })
  }
}

async function call (dashboard, name, params, onProgress) {
  const { folder } = dashboard
  let response
  const stall = new Stall(folder)
  try {
    response = await request(dashboard, 'POST', `${OPERATION}${name}`, JSON.stringify(params), SILENT_MS)
    for await (const line of linesOf(response, stall)) {
      if (line.error) {
        throw failureOf(line.error, folder)
      }
      if ('report' in line) {
        return line.report
      }
      onProgress(line.progress)
    }
  } catch (error) {
    if (stall.isGone) {
      throw stuck(folder, GONE_MS)
    }
    throw BROKEN.includes(error.code) ? gone() : error
  } finally {
    stall.end()
  }
  throw gone()
}

function failureOf ({ message, code, detail, syscall, path }, folder) {
  const error = failure(String(message), String(code), detail)
  if (code === 'ERR_STORE_PERMISSION') {
    error.detail = `${detail}; the running dashboard did this, as its own user`
  }
  return syscall ? Object.assign(error, { syscall, path }) : error
}

function gone () {
  return failure('dashboard-gone', 'ERR_DASHBOARD_GONE', 'the dashboard ended while it worked on this, so it may be done or not; look, and run the command again')
}

function stuck (folder, milliseconds) {
  return failure('dashboard-stuck', 'ERR_DASHBOARD_STUCK', describeStuck(folder, milliseconds))
}

function describeStuck (folder, milliseconds) {
  const number = processOf(folder)
  const [who, goOn, end] = number ? [` (process ${number})`, ` (kill -CONT ${number})`, ` (kill -9 ${number})`] : ['', '', '']
  return `the dashboard${who} has the store in ${folder} open, and has not answered for ${milliseconds / 1000} s: it was stopped, or something blocks it. Let it go on${goOn}, or find out what it does; else end it${end}, which loses nothing that was acknowledged, and try again`
}

// Returns the number of the process that has locked the store, undefined if it is of another machine or container.
function processOf (folder) {
  try {
    const [number, host, space] = fs.readFileSync(path.join(folder, LOCK), 'utf8').slice(0, 256).split(' ')
    const isHere = host === os.hostname().replace(/[^\w.:[\]-]/g, '').slice(0, 64) && space === ownSpace()
    return isHere && /^\d+$/.test(number) ? number : undefined
  } catch (error) {
  }
}

function ownSpace () {
  try {
    return fs.readlinkSync('/proc/self/ns/pid')
  } catch (error) {
    return ''
  }
}

// Says it once when the dashboard is silent, and ends the response when it stays so.
class Stall {
  constructor (folder) {
    this.folder = folder
    this.hear()
  }

  hear (response) {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      process.emitWarning(describeStuck(this.folder, SILENT_MS), { code: 'DASHBOARD_SLED_STUCK' })
      this.timer = setTimeout(() => {
        this.isGone = true
        response?.destroy()
      }, GONE_MS - SILENT_MS)
    }, SILENT_MS)
  }

  end () {
    clearTimeout(this.timer)
  }
}

async function * linesOf (response, stall) {
  let parts = []
  for await (const part of response.setEncoding('utf8')) {
    stall.hear(response)
    parts.push(part)
    if (part.includes('\n')) {
      const lines = parts.join('').split('\n')
      parts = [lines.pop()]
      yield * lines.map((line) => JSON.parse(line))
    }
  }
}

async function readAll (response) {
  let text = ''
  for await (const part of response.setEncoding('utf8')) {
    text += part
  }
  return text
}

// Resolves to the response once its head is there.
function request ({ folder, socketPath }, method, path, body, milliseconds) {
  return new Promise((resolve, reject) => {
    const asked = http.request({ agent: false, socketPath, method, path })
    const timer = setTimeout(() => asked.destroy(stuck(folder, milliseconds)), milliseconds)
    asked.once('response', resolve)
    asked.once('error', reject)
    asked.once('close', () => clearTimeout(timer))
    asked.once('response', () => clearTimeout(timer))
    asked.end(body)
  })
}
