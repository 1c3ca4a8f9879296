module.exports = { table }

// Returns lines with aligned columns: the first `texts` of them to the left, numbers to the right.
function table (head, rows, texts = 2) {
  const lines = [head, ...rows].map((line) => line.map(String))
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i].length)))
  return lines.map((line) => line.map((cell, i) => i < texts ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  ').trimEnd())
}
