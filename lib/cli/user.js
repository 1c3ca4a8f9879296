const os = require('os')

module.exports = { systemUser }

// Returns the name of the system's user, for the audit. A user of a container may have none.
function systemUser () {
  try {
    return os.userInfo().username
  } catch (error) {
    return `user ${process.geteuid()}`
  }
}
