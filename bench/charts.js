// Pictures of the results, as SVG: bars for the ratio to each other store, lines for growth.
const fs = require('fs')
const path = require('path')
const { describeMachine, number } = require('./report.js')

// Each of them can be read on white and on black.
const colours = { text: '#78828c', line: '#78828c66', ahead: '#2f9e6e', behind: '#d9743f', second: '#4a8bd6' }
const font = { fontFamily: 'sans-serif', fontSize: 12, color: colours.text }
const width = 1000
const margin = 24
// Width of the names of the stores, which the panels of a row share.
const names = 180
// Number of panels side by side.
const across = 3

module.exports = { drawCharts }

// Writes the pictures that the tables allow.
function drawCharts ({ machine, rounds, tables }, folder) {
  const where = `${describeMachine(machine)}, medians of ${rounds} rounds`
  const measured = tables.filter(({ kind }) => kind === 'stores')
  if (measured.length) {
    const heading = 'How many times faster dashboard-sled is than …'
    const scale = 'Each bar begins at 1×, the same speed. The scale is logarithmic. –: not measured.'
    fs.writeFileSync(path.join(folder, 'ratios.svg'), draw(heading, `${scale}\n${where}`, ratioPanels(measured), names))
  }
  const growth = tables.find(({ kind }) => kind === 'growth')
  if (growth) {
    fs.writeFileSync(path.join(folder, 'growth.svg'), draw('dashboard-sled with more sessions', describeMachine(machine), growthPanels(growth), 0))
  }
}

// A panel for each table. The panels of a row show the same stores in the same order, and the first one has the names.
function ratioPanels (tables) {
  return tables.map((table, i) => {
    const row = tables.slice(i - i % across, i - i % across + across)
    const titles = [...new Set(row.flatMap(({ rows }) => rows.filter(({ times }) => times).map(({ title }) => title)))]
    return ratioPanel(table, titles, i % across === 0)
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

// All panels in one picture under a heading, in rows. `indent` is the room to the left of each row.
function draw (heading, where, panels, indent) {
  const echarts = require('./peers/node_modules/echarts')
  const panelWidth = (width - margin - indent) / across
  const legend = panels[0].series.map(({ name, color }) => ({ name, itemStyle: { color } })).filter(({ name }) => name)
  const hasAxis = panels[0].xAxis.name !== undefined
  const tops = [legend.length ? 90 : 74]
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
