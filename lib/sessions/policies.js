// Policies: a session ends when nobody uses it for long, when it is old, and when its account has too many.
const { attribution, withAttribution } = require('../attribution.js')
const { hostSecret, now } = require('../host.js')

module.exports = { endByPolicy, endOverLimit, policyThatEnds }

// Returns the cause for which a live session has to end, if any. `seen` is when it was last seen.
function policyThatEnds (session, seen, { idleAfter, absoluteAfter }, time) {
  if (absoluteAfter !== undefined && time - session.created >= absoluteAfter) {
    return 'expired'
  }
  if (idleAfter !== undefined && time - Math.max(seen ?? 0, session.created) >= idleAfter) {
    return 'idle'
  }
}

async function endByPolicy (module, appid, sessionids, cause) {
  await withAttribution({ req: undefined, actor: { type: 'policy' }, cause, reason: undefined }, () =>
    module.store.end(appid, sessionids, [], undefined, now(), attribution(), undefined, undefined, hostSecret()))
}

// Ends the oldest sessions of an account that has more than `most` live ones. The newest one, that just began, stays.
async function endOverLimit (module, appid, accountid, most) {
  const live = await module.liveOfAccount.list(appid, accountid)
  const over = live.slice(most).map(({ sessionid }) => sessionid)
  if (over.length) {
    await endByPolicy(module, appid, over, 'limit')
  }
}
