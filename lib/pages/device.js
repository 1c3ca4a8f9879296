// A user agent as people read it, for example "Firefox on Windows". It is what the browser says of itself, nothing to rely on.

// In this order: most browsers also name those that they resemble.
const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/\bSamsungBrowser\/(\d+)/, 'Samsung Internet'],
  [/\bVivaldi\/(\d+)/, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'],
  [/\bHeadlessChrome\/(\d+)/, 'Headless Chrome'],
  [/\b(?:Chrome|CriOS|Chromium)\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari\//, 'Safari'],
  [/^curl\/(\d+)/, 'curl'],
  [/^Wget\/(\d+)/i, 'Wget']
]
const SYSTEMS = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b|\bX11\b/, 'Linux']
]
const LONGEST = 40

module.exports = { deviceName }

function deviceName (agent) {
  if (!agent) {
    return 'Unknown device'
  }
  const [, system] = SYSTEMS.find(([pattern]) => pattern.test(agent)) || []
  for (const [pattern, name] of BROWSERS) {
    const [, version] = pattern.exec(agent) || []
    if (version) {
      return `${name} ${version}${system ? ` on ${system}` : ''}`
    }
  }
  const text = agent.length > LONGEST ? `${agent.slice(0, LONGEST)}…` : agent
  return system ? `${text} on ${system}` : text
}
