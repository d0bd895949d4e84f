/** Arguments of llama-server that are not for `extra_args`: gatehouse must know what they are. */
const fixed = ['-m', '--model', '--host', '--port']

/** The argument that gatehouse sets itself, when the word is one; undefined otherwise. */
export const fixedArgument = (word: string): string | undefined => fixed.find(name => name === word.trim())

const keys = ['--api-key', '--api-key-file']

/** Without keys and their values: llama-server would take those instead of the one that gatehouse shows it. */
export const withoutKeys = (args: readonly string[]): string[] =>
  args.filter((word, index) => !keys.includes(word) && !keys.includes(args[index - 1] ?? ''))

/** The value of the last of several names for one argument, which is the one that counts; undefined when there is none. */
export function argumentOf(args: readonly string[], ...names: readonly string[]): string | undefined {
  const at = args.findLastIndex(word => names.includes(word))
  return at < 0 ? undefined : args[at + 1]
}

/** The same as a whole number. */
export function numberOf(args: readonly string[], ...names: readonly string[]): number | undefined {
  const value = argumentOf(args, ...names)
  return value !== undefined && /^-?\d+$/.test(value) ? Number(value) : undefined
}
