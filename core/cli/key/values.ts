import { didYouMean } from '../../config/suggest.ts'
import { ConfigError } from '../../errors.ts'

/** Makes of the text behind an option what the admin API takes. Throws a ConfigError when it cannot. */
export type Reader = (text: string, option: string) => unknown

/** The body for the admin API: what the options that were given say, under its names. */
export function readSettings(
  values: Readonly<Record<string, unknown>>,
  readers: Readonly<Record<string, Reader>>,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(readers).filter(([option]) => values[option] !== undefined)
  return Object.fromEntries(given.map(([option, read]) => [option.replaceAll('-', '_'), read(textOf(values[option], option), option)]))
}

/** Lists may be given several times. An empty text is a variable of a script that is not set. */
function textOf(value: unknown, option: string): string {
  const texts = [value].flat().map(String)
  if (texts.some(text => text.trim() === '')) throw new ConfigError(`--${option} is empty`)
  return texts.join(',')
}

const wrong = (option: string, must: string, text: string, known: readonly string[] = []) =>
  new ConfigError(`--${option} must be ${must}, not "${text}"${didYouMean(text, known)}`)

/** Takes the text as it is. */
export const asText: Reader = text => text

/** The same; `none` is null. */
export const asTextOrNone: Reader = text => (text === 'none' ? null : text)

/** A whole number; `none` and `unlimited` are null. */
export const asCount: Reader = (text, option) => {
  if (text === 'none' || text === 'unlimited') return null
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw wrong(option, 'a whole number, or none', text, ['none', 'unlimited'])
}

/** True or false. */
export const asTruth: Reader = (text, option) => {
  if (['true', 'yes', 'on', '1'].includes(text)) return true
  if (['false', 'no', 'off', '0'].includes(text)) return false
  throw wrong(option, 'true or false', text, ['true', 'false'])
}

/** One of some words, each with what it stands for. */
export const asOneOf =
  (meanings: Readonly<Record<string, unknown>>): Reader =>
  (text, option) => {
    if (Object.hasOwn(meanings, text)) return meanings[text]
    const names = Object.keys(meanings)
    throw wrong(option, `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`, text, names)
  }

/**
 * A list, with commas between its items, or one word in place of it. Of words that could be taken for one of these, and are
 * perhaps meant as the opposite, no list is made.
 */
export const asList =
  (meanings: Readonly<Record<string, unknown>>): Reader =>
  (text, option) => {
    const items = text.split(',').map(item => item.trim())
    const [first = ''] = items
    if (items.length === 1 && Object.hasOwn(meanings, first)) return meanings[first]
    const special = items.find(item => listWords.includes(item))
    if (special !== undefined || items.includes('')) {
      throw wrong(option, `a list with commas, or ${Object.keys(meanings).join(' or ')}`, text)
    }
    return items
  }

const listWords: readonly string[] = ['all', 'any', 'none', 'unlimited']
