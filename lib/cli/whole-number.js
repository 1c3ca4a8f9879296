const { InvalidArgumentError } = require('commander')

module.exports = { wholeNumber }

// Returns a parser for the value of an option.
function wholeNumber (least) {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`It is not a whole number from ${least} on.`)
    }
    return number
  }
}
