import { expect, test } from 'bun:test'
import { didYouMean } from './suggest.ts'

const keys = ['port', 'timeout', 'timeouts', 'rate_limit_rps', 'backends']

test.each<[string, string]>([
  ['prot', '; did you mean port?'],
  ['prt', '; did you mean port?'],
  ['timout', '; did you mean timeout?'],
  ['TIMEOUTS', '; did you mean timeouts?'],
  ['rate_limit', ''],
  ['ratelimitrps', '; did you mean rate_limit_rps?'],
  ['bakcends', '; did you mean backends?'],
  ['zebra', ''],
  ['', ''],
])('%p gives %p', (word, hint) => {
  expect(didYouMean(word, keys)).toBe(hint)
})
