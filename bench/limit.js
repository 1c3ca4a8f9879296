// What sled's flush() and the syncs beside it cost by themselves on the same disk: benches/limit.rs, built and run.
class LimitProcess {
  static open () {
  }
}

LimitProcess.title = 'sled\'s `flush()` and `fdatasync` by themselves'

module.exports = { LimitProcess }
