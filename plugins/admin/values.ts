import { mustBe, type Read } from './fields.ts'

/** True or false, and no word for it. */
export const flag: Read<boolean> = (value, field) => {
  if (typeof value !== 'boolean') throw mustBe(field, 'true or false')
  return value
}

/** A whole number that JavaScript can hold. */
export const wholeNumber =
  (from: number): Read<number> =>
  (value, field) => {
    if (!isWhole(value, from)) throw mustBe(field, `a whole number from ${from}`)
    return value
  }

/** A whole number from 0, or null for no limit. */
export const amount: Read<number | null> = (value, field) => {
  if (value !== null && !isWhole(value, 0)) throw mustBe(field, 'a whole number from 0, or null for no limit')
  return value
}

// -0 is a whole number to JavaScript
const isWhole = (value: unknown, from: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= from && !Object.is(value, -0)

/** One of a few words. */
export const oneOf =
  <const Word extends string>(...words: readonly Word[]): Read<Word> =>
  (value, field) => {
    const word = words.find(word => word === value)
    if (word === undefined) throw mustBe(field, `one of ${words.join(', ')}`)
    return word
  }

/** A line of text that is not empty, without spaces around it. */
export const line =
  (longest: number): Read<string> =>
  (value, field) => {
    const text = typeof value === 'string' ? value.trim() : ''
    if (text === '' || text.length > longest || !isPlain(text)) {
      throw mustBe(field, `text of 1 to ${longest} characters without control characters`)
    }
    return text
  }

/** What would break a line, or turn its direction so that it reads as something else. */
const isPlain = (text: string) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text)

/** Null, or what `read` takes. */
export const orNull =
  <T>(read: Read<T>): Read<T | null> =>
  (value, field) =>
    value === null ? null : read(value, field)

/** A list without doubles. A value that is wrong is named with its place. */
export const listOf =
  <T>(read: Read<T>, most: number): Read<readonly T[]> =>
  (value, field) => {
    if (!Array.isArray(value) || value.length > most) throw mustBe(field, `a list of at most ${most}`)
    return [...new Set(value.map((one, at) => read(one, `${field}[${at}]`)))]
  }

/** A name, or a pattern: `*` stands for anything, `?` for one character. */
export const pattern: Read<string> = (value, field) => line(256)(value, field).replace(/\*+/g, '*')
