// Charts as SVG. Lines differ by dashes and markers, and each has its name at its end: no colour is needed to read them.
const { escape } = require('./render.js')
const { clock } = require('./times.js')

const WIDTH = 480
const HEIGHT = 210
const LEFT = 70
const RIGHT = 124
const TOP = 12
const BOTTOM = 26
const LINE_HEIGHT = 18
// Distance of markers on a line, in points of the picture.
const MARKER_EVERY = 40
const INK = ['#003366', '#8A3A00', '#333333']
const DASHES = ['none', '7 4', '2 3']
const MARKERS = [
  (x, y, ink) => `<circle cx="${x}" cy="${y}" r="3" fill="${ink}"/>`,
  (x, y, ink) => `<rect x="${x - 3}" y="${y - 3}" width="6" height="6" fill="#FFF" stroke="${ink}" stroke-width="1.5"/>`,
  (x, y, ink) => `<path d="M${x} ${y - 4}L${x + 4} ${y + 3}L${x - 4} ${y + 3}Z" fill="${ink}"/>`
]

module.exports = { barRows, lineChart }

// `lines` are [{ label, points: [[time, value]] }]; a point without a value is a gap. `format` makes the text of a value;
// `isWhole` says that there are no values between whole numbers.
function lineChart ({ id, title, lines, from, to, format, largest, isWhole }) {
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value)).filter(isNumber)
  const most = largest ?? roundUp(Math.max(0, ...values))
  const x = (time) => round(LEFT + (time - from) / (to - from) * (WIDTH - LEFT - RIGHT))
  const y = (value) => round(HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP))
  const ends = spread(lines.map(({ points }) => points.filter(([, value]) => isNumber(value)).at(-1)).map((point) => point && y(point[1])))
  const drawn = lines.map(({ label, points }, index) => drawLine(points, index, x, y) + drawLabel(label, points, ends[index], index, format))
  const summary = values.length ? `${lines.map(({ label, points }) => describe(label, points, format)).join('; ')}.` : 'No values yet.'
  return picture(id, title, summary, HEIGHT, [
    ...[0, most / 2, most].filter((value) => !isWhole || Number.isInteger(value)).map((value) => horizontal(y(value), format(value))),
    timeAxis(x, from, to, HEIGHT),
    ...drawn,
    values.length ? '' : text(LEFT + 12, HEIGHT / 2, 'No values yet')
  ].join(''))
}

// A row for each of `rows`, [{ label, times, total }], with a bar for each minute in which there was one.
function barRows ({ id, title, rows, from, to }) {
  const row = 30
  const left = 214
  const right = 48
  const height = Math.max(1, rows.length) * row + TOP + BOTTOM
  const x = (time) => round(left + (time - from) / (to - from) * (WIDTH - left - right))
  const minutes = rows.map(({ times }) => perMinute(times))
  const most = Math.max(1, ...minutes.flatMap((counts) => [...counts.values()]))
  const drawn = rows.map(({ label, total }, index) => {
    const base = TOP + (index + 1) * row
    const bars = [...minutes[index]].map(([minute, count]) => {
      const size = round(Math.max(2, count / most * (row - 8)))
      return `<rect x="${x(Math.max(from, minute))}" y="${round(base - size)}" width="4" height="${size}" fill="${INK[0]}"/>`
    })
    const axis = `<path d="M${left} ${base}H${WIDTH - right}" stroke="#767676"/>`
    return `${text(left - 8, base - 4, label, 'end')}${axis}${bars.join('')}${text(WIDTH - right + 8, base - 4, total)}`
  })
  const summary = rows.length ? `${rows.map(({ label, total }) => `${label} ${total}`).join('; ')}.` : 'None.'
  return picture(id, title, summary, height, drawn.join('') + (rows.length ? '' : text(left, TOP + 18, 'None')) + timeAxis(x, from, to, height))
}

function picture (id, title, summary, height, content) {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${escape(title)}</title><desc id="${id}-desc">${escape(summary)}</desc>${content}</svg>`
}

function drawLine (points, index, x, y) {
  const [ink, dash, marker] = [INK[index], DASHES[index], MARKERS[index]]
  let path = ''
  let isBroken = true
  const marks = []
  let lastMark = -Infinity
  for (const [time, value] of points) {
    if (!isNumber(value)) {
      isBroken = true
      continue
    }
    const [px, py] = [x(time), y(value)]
    path += `${isBroken ? 'M' : 'L'}${px} ${py}`
    isBroken = false
    if (px - lastMark >= MARKER_EVERY) {
      marks.push(marker(px, py, ink))
      lastMark = px
    }
  }
  return path && `<path d="${path}" fill="none" stroke="${ink}" stroke-width="2" stroke-dasharray="${dash}"/>${marks.join('')}`
}

function drawLabel (label, points, y, index, format) {
  const last = points.filter(([, value]) => isNumber(value)).at(-1)
  if (!last) {
    return ''
  }
  const x = WIDTH - RIGHT + 14
  return MARKERS[index](x - 7, y, INK[index]) + text(x, y + 4, `${label} ${format(last[1])}`.trim())
}

function horizontal (y, label) {
  return `<path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#CCC"/>${text(LEFT - 6, y + 4, label, 'end')}`
}

// The times at which a quarter of an hour begins.
function timeAxis (x, from, to, height) {
  const quarter = 15 * 60
  const times = []
  for (let time = Math.ceil(from / quarter) * quarter; time <= to; time += quarter) {
    times.push(time)
  }
  return times.map((time) => `<path d="M${x(time)} ${height - BOTTOM}v4" stroke="#767676"/>${text(x(time), height - 6, clock(time), 'middle')}`).join('')
}

function text (x, y, content, anchor = 'start') {
  return `<text x="${x}" y="${round(y)}" text-anchor="${anchor}">${escape(content)}</text>`
}

function describe (label, points, format) {
  const values = points.map(([, value]) => value).filter(isNumber)
  const range = values.length ? `last ${format(values.at(-1))}, lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}` : 'no values'
  return `${label}: ${range}`.replace(/^: /, '')
}

// Moves labels apart that would lie on each other.
function spread (positions) {
  const order = positions.map((y, index) => [y, index]).filter(([y]) => y !== undefined).sort(([a], [b]) => a - b)
  const moved = [...positions]
  let before = -Infinity
  for (const [y, index] of order) {
    moved[index] = before = Math.max(y, before + LINE_HEIGHT)
  }
  const over = before - (HEIGHT - BOTTOM)
  return over > 0 ? moved.map((y) => y === undefined ? y : y - over) : moved
}

function perMinute (times) {
  const counts = new Map()
  for (const time of times) {
    const minute = time - time % 60
    counts.set(minute, (counts.get(minute) || 0) + 1)
  }
  return counts
}

// 1, 2 or 5 times a power of ten.
function roundUp (value) {
  if (value <= 0) {
    return 1
  }
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].find((step) => step * power >= value) * power
}

function round (number) {
  return Math.round(number * 10) / 10
}

function isNumber (value) {
  return typeof value === 'number' && Number.isFinite(value)
}
