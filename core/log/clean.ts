/**
 * Characters that a terminal acts on or that turn text around: controls, the C1 range (0x9B is an escape
 * sequence's beginning), line separators, direction marks. Paths, models and errors come from strangers.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
const everyUnsafe = new RegExp(unsafe, 'g')

/** Text in which no character does anything: each of those is written as `\u001b`. Valid inside a JSON string, too. */
export const clean = (text: string): string => (unsafe.test(text) ? text.replace(everyUnsafe, escapeCharacter) : text)

const escapeCharacter = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
