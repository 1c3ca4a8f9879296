// Random states of the store and random requests, by a seed: what Dashboard writes, and what it does not.

module.exports = { randomState }

const strangeIds = ['', '0', '__proto__', 'constructor', '../x', 'a/b', '"', '\\', '\0', '\ud800', 'é', 'x'.repeat(500), ' ']
const strangeValues = ['null', 'true', 'false', '0', '-0', '1.50', '1e21', '1e999', '""', '"5"', '"x"', '"\\ud800"', '[]', '[1]', '{}', '{"a":1}', '9007199254740993', '-1']
const strangeTexts = ['', ' ', '{', '{}', '[]', '[{"object":"session"}]', 'null', '5', 'true', '"session"', 'session', '{"object":"session"', '{"object":"account"', 'NaN', '\ufeff{}']
const objects = ['"other"', '"Session"', 'null', '5', '["session"]', '"\\u0073ession"', '"\\u0061ccount"']

// Its ids occur in no other state, because the store remembers old values.
function randomState (random, number) {
  const pick = (list) => list[Math.floor(random() * list.length)]
  const chance = (of) => random() < of
  const id = (kind) => chance(0.07) ? pick(strangeIds) : `${kind}_${number}`
  const odd = (usual, of = 0.06) => chance(of) ? pick(strangeValues) : usual
  const sessionid = id('session')
  const accountid = id('account')
  const now = 1000 + Math.floor(random() * 1000)

  const session = text({
    object: chance(0.05) ? pick(objects) : '"session"',
    sessionid: JSON.stringify(sessionid),
    accountid: chance(0.04) ? pick(['null', '""', '5', '["account"]', '{}', '"missing"', '"\\u0061"', '0']) : JSON.stringify(accountid),
    tokenHash: '"t"',
    created: '5',
    expires: odd(String(now + Math.floor(random() * 5) - 2)),
    sessionKeyNumber: odd(pick(['1', '2', '3'])),
    lastVerified: '7',
    ended: chance(0.1) ? odd('900', 0.5) : undefined
  })
  const account = text({
    object: chance(0.05) ? pick(objects) : '"account"',
    accountid: JSON.stringify(accountid),
    profileid: '"p"',
    usernameHash: '"u"',
    passwordHash: '"p"',
    created: '5',
    sessionKey: odd('"k"'),
    sessionKeyLastReset: chance(0.5) ? odd('800') : undefined,
    sessionKeyNumber: odd(pick(['1', '2', '3'])),
    deleted: chance(0.1) ? odd('700', 0.5) : undefined,
    administrator: chance(0.2) ? '600' : undefined
  })

  return { accountid, account, cacheData: randomCacheData(), now, session, sessionid }

  // The members in their order or shuffled, some of them missing, doubled or unknown.
  function text (members) {
    if (chance(0.05)) {
      return chance(0.3) ? undefined : pick(strangeTexts)
    }
    let entries = Object.entries(members).filter(([, value]) => value !== undefined && !chance(0.03))
    for (const name of ['x', '7', '__proto__', 'sessionKeyNumber', 'ended', '\\u0065nded', 'tokenHash', 'object']) {
      if (chance(0.02)) {
        entries.push([name, pick(strangeValues)])
      }
    }
    if (chance(0.1)) {
      entries = entries.map((entry) => [random(), entry]).sort((a, b) => a[0] - b[0]).map(([, entry]) => entry)
    }
    const space = chance(0.05) ? ' ' : ''
    return `{${entries.map(([name, value]) => `"${name}"${space}:${space}${value}`).join(`,${space}`)}}`
  }

  // Data that a request brings along; a function makes it for each call, because it is changed in place.
  function randomCacheData () {
    const kinds = [session, account, JSON.stringify('text'), 'broken {', '', null, 0, 5, true]
    const make = () => {
      const kind = pick(kinds)
      if (chance(0.5)) {
        return () => kind
      }
      let parsed
      try {
        parsed = JSON.parse(kind)
      } catch (error) {
        parsed = { object: pick(['session', 'account']), accountid, sessionKeyNumber: 1, tokenHash: 't' }
      }
      return () => structuredClone(parsed)
    }
    if (chance(0.7)) {
      return () => undefined
    }
    const members = []
    for (const key of [sessionid, accountid]) {
      if (chance(0.5)) {
        members.push([key, make()])
      }
    }
    return () => Object.fromEntries(members.map(([key, value]) => [key, value()]))
  }
}
