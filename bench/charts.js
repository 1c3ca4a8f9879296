// Pictures of the results, as SVG: bars for how many times as fast ours is, lines for growth.
const fs = require('fs')
const path = require('path')
const { describeMachine, number } = require('./report.js')

// Each of them can be read on white and on black.
const colours = { text: '#78828c', line: '#78828c66', ahead: '#2f9e6e', behind: '#d9743f', second: '#4a8bd6' }
const font = { fontFamily: 'sans-serif', fontSize: 12, color: colours.text }
const width = 1000
const margin = 24

module.exports = { drawCharts }

// Writes the pictures that the tables allow.
function drawCharts ({ machine, rounds, tables }, folder) {
  const where = `${describeMachine(machine)}, medians of ${rounds} rounds`
  const measured = tables.filter(({ kind }) => kind === 'stores')
  if (measured.length) {
    fs.writeFileSync(path.join(folder, 'ratios.svg'), draw('dashboard-sled is so many times as fast as', where, measured.map(ratioPanel), 2))
  }
  const growth = tables.find(({ kind }) => kind === 'growth')
  if (growth) {
    fs.writeFileSync(path.join(folder, 'growth.svg'), draw('dashboard-sled with more sessions', describeMachine(machine), growthPanels(growth), 3))
  }
}

// Bars to the right where ours is faster, to the left where it is slower, by powers of ten.
function ratioPanel ({ title, rows }) {
  const bars = rows.filter(({ times }) => times)
  return {
    title: plain(title),
    rows: bars.length,
    left: 190,
    xAxis: {
      type: 'value',
      min: Math.min(-1, ...bars.map(({ times }) => Math.floor(Math.log10(times)))),
      max: Math.max(1, ...bars.map(({ times }) => Math.ceil(Math.log10(times * 1.7)))),
      interval: 1,
      axisLabel: { ...font, formatter: (power) => `${10 ** power}×` },
      splitLine: { lineStyle: { color: colours.line } }
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: bars.map(({ title }) => plain(title)),
      axisLabel: { ...font, width: 180, overflow: 'break' },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colours.text } }
    },
    series: [{
      type: 'bar',
      barMaxWidth: 16,
      data: bars.map(({ times }) => ({
        value: Math.log10(times),
        itemStyle: { color: times >= 1 ? colours.ahead : colours.behind },
        label: { ...font, show: true, position: times >= 1 ? 'right' : 'left', formatter: `${number(times)}×` }
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
    rows: 6,
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

// All panels in one picture under a heading, `across` of them side by side.
function draw (heading, where, panels, across) {
  const echarts = require('./peers/node_modules/echarts')
  const rowHeight = 22
  const height = Math.max(...panels.map(({ rows }) => rows)) * rowHeight + 100
  const panelWidth = (width - margin) / across
  const legend = panels[0].series.map(({ name, color }) => ({ name, itemStyle: { color } })).filter(({ name }) => name)
  const top = legend.length ? 90 : 65
  const total = Math.ceil(panels.length / across) * height + top
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height: total })
  const place = (i) => ({ left: (i % across) * panelWidth + margin / 2, top: Math.floor(i / across) * height + top })
  chart.setOption({
    animation: false,
    legend: { show: legend.length > 0, data: legend, textStyle: font, top: 56, left: margin / 2 },
    title: [
      { text: heading, subtext: where, left: margin / 2, top: 5, itemGap: 6, textStyle: { ...font, fontSize: 17, fontWeight: 'bold' }, subtextStyle: font },
      ...panels.map(({ title }, i) => ({ text: title, ...place(i), textStyle: { ...font, fontSize: 14, fontWeight: 'bold' } }))
    ],
    grid: panels.map(({ rows, left }, i) => ({
      left: place(i).left + left,
      top: place(i).top + 34,
      width: panelWidth - left - 2 * margin,
      height: rows * rowHeight
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
