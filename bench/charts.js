// Pictures of the results, as SVG: bars for the ratio to each other store, by kind of call and by size; ranges for latencies;
// lines for growth. Numbers and shapes say what the colours say.
const fs = require('fs')
const path = require('path')
const { describeMachine, number } = require('./report.js')
const { ours } = require('./stores.js')

// Each of them can be read on white and on black.
const colours = { text: '#78828c', line: '#78828c66', ahead: '#2f9e6e', behind: '#d9743f', second: '#4a8bd6' }
const font = { fontFamily: 'sans-serif', fontSize: 12, color: colours.text }
const width = 1000
const margin = 24
// From so many microseconds on, milliseconds are shown.
const leastMilliseconds = 10000
// Width of the names of the stores, which the panels of a row share.
const names = 180
const latencyScale = '● half of the calls are faster   ◆ 99 of 100   ▲ 999 of 1,000. In µs where nothing else is said, logarithmic: shorter is better.'
// Number of panels side by side, where nothing else is said.
const inRow = 3

module.exports = { drawCharts, drawCluster }

// Writes the pictures that the tables allow.
function drawCharts ({ machine, rounds, tables }, folder) {
  const where = `${describeMachine(machine)}, medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`
  const measured = tables.filter(({ kind }) => kind === 'stores')
  if (measured.length) {
    const heading = 'How many times faster dashboard-sled is than …'
    const scale = 'Each bar begins at 1×, the same speed. The scale is logarithmic. –: not measured.'
    fs.writeFileSync(path.join(folder, 'ratios.svg'), draw(heading, `${scale}\n${where}`, ratioPanels(measured), names))
  }
  const sizes = tables.filter(({ kind }) => kind === 'sizes')
  if (sizes.length) {
    const scale = 'With default settings. hot: each was read once before · warm: files in the page cache of the system · cold: not even there\nEach bar begins at 1×, the same speed; to the left it is slower. The scale is logarithmic. –: not measured.'
    fs.writeFileSync(path.join(folder, 'sizes.svg'), draw('How many times faster dashboard-sled reads a session, by number of sessions', `${scale}\n${where}`, ratioPanels(sizeTables(sizes)), names))
  }
  const latencies = tables.filter(({ kind }) => kind === 'latencies')
  if (latencies.length) {
    const scale = `${latencyScale} Busy: an endless loop for each processor.`
    fs.writeFileSync(path.join(folder, 'latencies.svg'), draw('How long one call takes', `${scale}\n${where}`, latencyPanels(latencies), 0, 2))
  }
  const growth = tables.find(({ kind }) => kind === 'growth')
  if (growth) {
    fs.writeFileSync(path.join(folder, 'growth.svg'), draw('dashboard-sled with more sessions', describeMachine(machine), growthPanels(growth), 0))
  }
}

// Writes the picture of a cluster to `file`.
function drawCluster ({ machine, tables }, file) {
  const where = `${describeMachine(machine)}, all servers and nodes on it, fsync on, one run`
  fs.writeFileSync(file, draw('How long one call takes in a cluster', `${latencyScale}\n${where}`, latencyPanels(tables), 0, 2))
}

// A row of panels for each store, and a panel in it for each state of memory.
function sizeTables (sizes) {
  const others = sizes[0].rows.filter(({ times, store }, i, all) => times && all.findIndex((row) => row.store === store && row.times) === i)
  return others.flatMap(({ store, title }) => sizes.map(({ state, rows }) => ({
    title: `${title}, ${state}`,
    rows: rows.filter((row) => row.store === store && row.times).flatMap(({ sessions, times }) => [
      { title: `${sessions.toLocaleString('en')}, one at a time`, times: times.alone },
      { title: `${sessions.toLocaleString('en')}, 64 in flight`, times: times.inFlight }
    ])
  })))
}

function latencyPanels (tables) {
  const shapes = [['p50', 'circle', 'left'], ['p99', 'diamond', 'top'], ['p999', 'triangle', 'right']]
  return tables.map(({ title, rows }) => {
    const shown = rows.filter(({ missing }) => !missing)
    const values = shown.flatMap((row) => shapes.map(([name]) => row[name]))
    const points = (name) => shown.map((row, i) => ({ value: [row[name], i], itemStyle: { color: row.store === ours ? colours.ahead : colours.second } }))
    const lines = shown.map((row, i) => ({
      type: 'line',
      silent: true,
      symbol: 'none',
      lineStyle: { width: row.store === ours ? 4 : 2, color: row.store === ours ? colours.ahead : colours.second },
      data: shapes.map(([name]) => [row[name], i])
    }))
    return {
      title: plain(title),
      height: shown.length * 34,
      left: names,
      xAxis: {
        type: 'log',
        // Room for the numbers at both ends.
        min: Math.min(...values) / 6,
        max: Math.max(...values) * 4,
        axisLabel: { show: false },
        axisTick: { show: false },
        splitLine: { show: false },
        axisLine: { lineStyle: { color: colours.line } }
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: shown.map(({ title }) => plain(title)),
        axisLabel: { ...font, interval: 0, width: names - 10, overflow: 'break', fontSize: 11, lineHeight: 12 },
        axisTick: { show: false },
        axisLine: { lineStyle: { color: colours.text } }
      },
      series: [...lines, ...shapes.map(([name, symbol, position]) => ({
        type: 'scatter',
        symbol,
        symbolSize: 9,
        label: { ...font, fontSize: 11, show: true, position, distance: 4, formatter: ({ value: [time] }) => time < leastMilliseconds ? number(time) : `${number(time / 1000)} ms` },
        data: points(name)
      }))]
    }
  })
}

// A panel for each table. The panels of a row show the same stores in the same order, and the first one has the names.
function ratioPanels (tables) {
  return tables.map((table, i) => {
    const row = tables.slice(i - i % inRow, i - i % inRow + inRow)
    const titles = [...new Set(row.flatMap(({ rows }) => rows.filter(({ times }) => times).map(({ title }) => title)))]
    return ratioPanel(table, titles, i % inRow === 0)
  })
}

// Bars to the right of 1× where ours is faster, to the left where it is slower.
function ratioPanel ({ title, rows }, titles, isFirst) {
  const times = titles.map((title) => rows.find((row) => row.title === title)?.times)
  const powers = times.filter(Boolean).map(Math.log10)
  return {
    title: plain(title),
    height: titles.length * 18,
    left: 0,
    xAxis: {
      type: 'value',
      min: Math.min(0, ...powers),
      // Room for the number behind the longest bar.
      max: Math.max(1, ...powers) * 1.25,
      interval: 1,
      axisLabel: { show: false },
      splitLine: { show: false }
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: titles.map(plain),
      axisLabel: { ...font, show: isFirst, interval: 0, width: names - 10, overflow: 'break', fontSize: 11, lineHeight: 11 },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colours.text } }
    },
    series: [{
      type: 'bar',
      barMaxWidth: 12,
      data: times.map((times) => ({
        value: Math.log10(times || 1),
        itemStyle: { color: times >= 1 ? colours.ahead : colours.behind },
        label: { ...font, show: true, position: 'right', formatter: times ? `${number(times)}×` : '–' }
      }))
    }]
  }
}

function growthPanels ({ rows }) {
  return [
    ['Session.get, µs', ({ get }) => get],
    ['ResetSessionKey.patch, µs', ({ patch }) => patch],
    ['opens after a clean stop, ms', ({ openMilliseconds }) => openMilliseconds],
    ['opens after a kill, ms', ({ openAfterKillMilliseconds }) => openAfterKillMilliseconds],
    ['more resident memory than empty, MB', ({ residentBytes }) => residentBytes / 1e6],
    ['bytes on disk for each session', ({ bytesPerSession }) => bytesPerSession]
  ].map(([title, value]) => ({
    title,
    height: 132,
    left: 60,
    xAxis: {
      type: 'log',
      min: 'dataMin',
      name: 'sessions',
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: font,
      axisLabel: { ...font, formatter: (size) => size.toLocaleString('en', { notation: 'compact' }) },
      splitLine: { show: false },
      axisLine: { lineStyle: { color: colours.text } }
    },
    yAxis: { type: 'value', min: 0, axisLabel: font, splitLine: { lineStyle: { color: colours.line } } },
    series: [['as loaded', false, colours.ahead], ['a third replaced', true, colours.second]].map(([name, churned, color]) => ({
      type: 'line',
      name,
      color,
      symbol: 'circle',
      symbolSize: 7,
      data: rows.filter((row) => row.churned === churned).map((row) => [row.sessions, value(row)])
    }))
  }))
}

// All panels in one picture under a heading, `across` in a row. `indent` is the room to the left of each row.
function draw (heading, where, panels, indent, across = inRow) {
  const echarts = require('./peers/node_modules/echarts')
  const panelWidth = (width - margin - indent) / across
  const legend = panels[0].series.map(({ name, color }) => ({ name, itemStyle: { color } })).filter(({ name }) => name)
  const hasAxis = panels[0].xAxis.name !== undefined
  const tops = [40 + 17 * where.split('\n').length + (legend.length ? 33 : 0)]
  for (let i = 0; i < panels.length; i += across) {
    tops.push(tops[tops.length - 1] + Math.max(...panels.slice(i, i + across).map(({ height }) => height)) + (hasAxis ? 100 : 48))
  }
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height: tops[tops.length - 1] })
  const place = (i) => ({ left: (i % across) * panelWidth + indent + margin / 2, top: tops[Math.floor(i / across)] })
  chart.setOption({
    animation: false,
    legend: { show: legend.length > 0, data: legend, textStyle: font, top: 52, left: margin / 2, padding: 0 },
    title: [
      { text: heading, subtext: where, left: margin / 2, top: 5, padding: [5, 0], itemGap: 6, textStyle: { ...font, fontSize: 17, fontWeight: 'bold' }, subtextStyle: { ...font, lineHeight: 16 } },
      ...panels.map(({ title }, i) => ({ text: title, ...place(i), padding: [5, 0], textStyle: { ...font, fontWeight: 'bold', width: panelWidth - 5, overflow: 'break' } }))
    ],
    grid: panels.map(({ height, left }, i) => ({
      left: place(i).left + left,
      top: place(i).top + 30,
      width: panelWidth - left - margin,
      height
    })),
    xAxis: panels.map(({ xAxis }, gridIndex) => ({ ...xAxis, gridIndex })),
    yAxis: panels.map(({ yAxis }, gridIndex) => ({ ...yAxis, gridIndex })),
    series: panels.flatMap(({ series }, i) => series.map((one) => ({ ...one, xAxisIndex: i, yAxisIndex: i })))
  })
  const picture = chart.renderToSVGString()
  chart.dispose()
  return picture + '\n'
}

function plain (markdown) {
  return markdown.replaceAll('`', '')
}
