import { describe, expect, test } from 'bun:test'
import { ConfigError } from '../../errors.ts'
import { asGrace, asMoment, isDay, parseDays } from './moment.ts'
import { keyOptions, keyReaders } from './settings.ts'
import { asCount, asList, asOneOf, asTextOrNone, asTruth, type Reader, readSettings } from './values.ts'

const complaintOf = (read: Reader, text: string): string => {
  try {
    read(text, 'option')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message
  }
  return 'nothing'
}
const now = () => Date.parse('2026-01-01T00:00:00Z')
const ips = asList({ all: [] })
const endpoints = asList({ default: null, none: [] })

describe('the text behind an option', () => {
  test.each<[string, Reader, string, unknown]>([
    ['a number', asCount, '1000000', 1_000_000],
    ['nothing at all', asCount, '0', 0],
    ['no limit', asCount, 'none', null],
    ['no limit', asCount, 'unlimited', null],
    ['true', asTruth, 'true', true],
    ['true', asTruth, 'on', true],
    ['false', asTruth, 'false', false],
    ['false', asTruth, '0', false],
    ['no text', asTextOrNone, 'none', null],
    ['a text', asTextOrNone, 'nine', 'nine'],
    ['a word', asOneOf({ key: 'key', default: null }), 'key', 'key'],
    ['a word for null', asOneOf({ key: 'key', default: null }), 'default', null],
    ['a list', ips, '10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
    ['a list of one', ips, '10.0.0.1', ['10.0.0.1']],
    ['all', ips, 'all', []],
    ['none', endpoints, 'none', []],
    ['the default', endpoints, 'default', null],
    ['a model that is called so', ips, 'default', ['default']],
    ['a day', asMoment(now), '2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['a time', asMoment(now), '2027-01-31T18:00Z', '2027-01-31T18:00:00.000Z'],
    ['a time elsewhere', asMoment(now), '2027-01-31T18:00:30+02:00', '2027-01-31T16:00:30.000Z'],
    ['days from now', asMoment(now), '30d', '2026-01-31T00:00:00.000Z'],
    ['hours from now', asMoment(now), '1d12h', '2026-01-02T12:00:00.000Z'],
    ['never', asMoment(now), 'none', null],
    ['never', asMoment(now), 'never', null],
    ['grace', asGrace, '1h', '1h'],
    ['grace of days', asGrace, '7d', '168h'],
    ['no grace', asGrace, '0', '0s'],
  ])('%s: %p %p', (_, read, text, value) => {
    expect(read(text, 'option')).toEqual(value)
  })

  test.each<[Reader, string, string]>([
    [asCount, '-1', 'must be a whole number, or none, not "-1"'],
    [asCount, '1e400', 'must be a whole number'],
    [asCount, '1.5', 'must be a whole number'],
    [asCount, '9007199254740993', 'must be a whole number'],
    [asCount, 'nonw', 'did you mean none?'],
    [asTruth, 'ture', 'must be true or false, not "ture"; did you mean true?'],
    [asOneOf({ total: 1, day: 1, month: 1 }), 'mouth', 'must be total, day or month, not "mouth"; did you mean month?'],
    [asOneOf({ day: 1, month: 1 }), 'toString', 'must be day or month'],
    // could be meant as the opposite
    [ips, 'none', 'must be a list with commas, or all, not "none"'],
    [ips, 'all,10.0.0.1', 'must be a list with commas, or all'],
    [ips, '10.0.0.1,,', 'must be a list with commas, or all'],
    [endpoints, 'all', 'must be a list with commas, or default or none'],
    [asMoment(now), '2027-02-30', 'must be a day (2027-01-31)'],
    [asMoment(now), '2027-13-01', 'must be a day'],
    [asMoment(now), '2027-01-31T25:00Z', 'must be a day'],
    [asMoment(now), '2027-01-31T18:00', 'a time (2027-01-31T18:00Z)'], // whose?
    [asMoment(now), '0', 'must be a day'],
    [asMoment(now), '-1h', 'must be a day'],
    [asMoment(now), '999999999999d', 'must be a day'],
    [asMoment(now), 'tomorrow', 'must be a day'],
    [asGrace, 'none', 'must be how long, such as 1h or 7d'],
    [asGrace, '-1h', 'must be how long'],
    [asGrace, '5', 'must be how long'],
  ])('%p refuses %p: %s', (read, text, line) => {
    const said = complaintOf(read, text)
    expect(said).toStartWith('--option must be ')
    expect(said).toContain(line)
  })
})

describe('settings', () => {
  test('have the names of the admin API, and only those that were given', () => {
    const values = { name: 'x', 'rate-limit': '60', 'allowed-ips': ['10.0.0.0/8', '::1,::2'], json: true }
    expect(readSettings(values, keyReaders)).toEqual({ name: 'x', rate_limit: 60, allowed_ips: ['10.0.0.0/8', '::1', '::2'] })
    expect(readSettings({}, keyReaders)).toEqual({})
  })

  test.each([
    [{ name: '' }, '--name is empty'],
    [{ 'allowed-ips': ['10.0.0.1', ' '] }, '--allowed-ips is empty'],
  ])('%p: an empty one is a mistake', (values, line) => {
    expect(() => readSettings(values, keyReaders)).toThrow(line)
  })

  test('each option is read, and what is read is an option', () => {
    expect(Object.keys(keyReaders)).toEqual(Object.keys(keyOptions))
  })
})

test.each([
  ['30d', 30 * 86_400_000],
  ['1d1h', 25 * 3_600_000],
  ['1h', 3_600_000],
  ['d', undefined],
  ['1d-1h', undefined],
  ['none', undefined],
])('%p is %p milliseconds', (text, ms) => {
  expect(parseDays(text)).toBe(ms)
})

test.each([
  ['2028-02-29', true],
  ['2027-02-29', false],
  ['2027-2-1', false],
  ['2027-01-31T00:00Z', false],
])('%p is a day: %p', (text, is) => {
  expect(isDay(text)).toBe(is)
})
