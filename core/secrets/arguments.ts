import { looksSecret } from './looks.ts'
import { seemsPath } from './words.ts'

/** Names of settings with words that start a program. */
export const startsProgram = /^(args|arguments|argv|extra_?args|flags|command|command_?line|cmd)$/i

/** What is secret in a word because of its place or its name: everything from `at` on. */
export interface SecretPart {
  readonly at: number
  /** A header, a variable, a user: shown to nobody, but mostly no secret. */
  readonly vague?: boolean
}

/** Looks at a word and at the one before it: `--api-key x`, `--token=x`, `TOKEN=x`, `-H "X-Team: x"`, `-px`. */
export function secretPartOf(words: readonly string[], index: number): SecretPart | undefined {
  const word = words[index] ?? ''
  const before = words[index - 1] ?? ''
  const flag = /^--?([\w.-]+)$/.exec(before)?.[1]
  if (flag !== undefined && looksSecret(flag, word) && !plainFlag.test(word)) return { at: 0 }
  if (flag !== undefined && holders.test(flag) && !word.startsWith('--')) return { at: 0, vague: true }
  if (before === '-k' && !isHarmless(word)) return { at: 0 }
  if (/^-[ap]$/.test(before) && !isHarmless(word) && !/^(?:@[a-z0-9-]+\/)?[a-z][a-z-]*$/.test(word)) return { at: 0 }
  if (/^(?:bearer|basic)$/i.test(before) || (/^[\w-]+:$/.test(before) && looksSecret(before.slice(0, -1), word))) return { at: 0 }
  return inside(word)
}

/** Flags whose value may be a secret in one of its parts. */
const holders = /^(H|header|headers|e|env|u|user|proxy-user|proxy-header)$/

/** What comes after a flag and is one itself; a password may begin with dashes, but hardly reads like this. */
const plainFlag = /^--?[a-z]+(?:-[a-z]+)*(?:=.*)?$|^-[A-Z]$/s

/** `-k` and `-p` are followed by a password to some programs; to others by an address, a port, a path, or nothing. */
const isHarmless = (word: string) =>
  word.startsWith('-') || word.includes('://') || /^[\d.:,/-]+(?:\/(?:tcp|udp))?$/.test(word) || seemsPath(word)

function inside(word: string): SecretPart | undefined {
  const [, name = '', value = ''] = /^(-{0,2}[\w.-]+)=(.+)$/s.exec(word) ?? []
  if (looksSecret(name.replace(/^-+/, ''), value)) return { at: name.length + 1 }
  const holder = /^--?(?:header|headers|env|user|proxy-user|proxy-header)=|^-(?=H[\w-]+:|e\w+=|u[^\s:=/]+:)./.exec(word)
  if (holder) return { at: Math.max(2, holder[0].length), vague: true }
  const glued = /^-p(?![a-z]+(?:=|$))(.{4,})/s.exec(word)?.[1]
  return glued === undefined || isHarmless(glued) ? undefined : { at: 2 }
}

const word = /(?:"(?:\\.|[^"\\])*"|'[^']*'|\S)+/g

/** A command as its words, without the quotes around them and inside of them. */
export const wordsOf = (command: string): string[] =>
  [...command.matchAll(word)].map(([written]) => written.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double, single) => double ?? single))

/** The command with other words; what stays keeps its quotes, and the spaces between them stay. */
export function withWords(command: string, words: readonly string[]): string {
  const before = wordsOf(command)
  let at = -1
  return command.replace(word, written => {
    const now = words[++at] ?? ''
    if (now === before[at]) return written
    return /\s/.test(now) ? `"${now}"` : now
  })
}
