// Constants of the conversation between the tool and a running dashboard.
module.exports = {
  // How often a caller hears of an operation, in milliseconds.
  EVERY_MS: 500,
  // The beginning of the path of an operation.
  OPERATION: '/operations/',
  // Raised when a tool and a dashboard of two versions would not understand each other.
  PROTOCOL: 1
}
