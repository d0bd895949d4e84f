import { randomBytes } from 'node:crypto'

/** The prompt tokens that every fake reports. */
export const promptTokens = 11

/** The completion tokens that every fake reports. */
export const completionTokens = 7

/** A random name of `length` letters and digits. */
export function randomName(length: number): string {
  return randomBytes(length).toString('base64').replace(/[+/=]/g, 'x').slice(0, length)
}

/** Unix time in seconds, as `created` fields have it. */
export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
