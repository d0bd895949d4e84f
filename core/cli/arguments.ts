import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../config/suggest.ts'
import { ConfigError } from '../errors.ts'

/** What is on the command line: the word that names the command, if there is one, and everything else. */
export interface CommandLine {
  readonly command: string | undefined
  readonly rest: readonly string[]
  /** An option in front of the command that no command has. */
  readonly stray: string | undefined
}

/** Options that may stand in front of the command, and the short ones among them. */
const inFront = ['--config', '--port', '--host', '--demo', '--json', '--server', '--api-key', '--help', '--version']
const short = ['-c', '-p', '-s', '-k', '-h', '-v']
const withValue = new Set(['-c', '--config', '-p', '--port', '--host', '-s', '--server', '-k', '--api-key'])

/** Finds the command in the arguments. */
export function splitCommand(argv: readonly string[]): CommandLine {
  // LlamaWrapper's Go flags have one dash
  const args = argv.map(argument => (inFront.includes(`-${argument.replace(/=.*$/s, '')}`) ? `-${argument}` : argument))
  const at = args.findIndex((argument, index) => !argument.startsWith('-') && !withValue.has(args[index - 1] ?? ''))
  const isKnown = (option: string) => inFront.includes(option.replace(/=.*$/s, '')) || short.includes(option.slice(0, 2))
  const stray = args.slice(0, Math.max(0, at)).find(argument => argument.startsWith('-') && !isKnown(argument))
  return { command: args[at], rest: args.filter((_, index) => index !== at), stray }
}

/** A complaint about a word on the command line, with the word that was meant perhaps, and where to look. */
export const wrongWord = (complaint: string, word: string, known: readonly string[], more: string): ConfigError =>
  new ConfigError(`${complaint}${didYouMean(word, known) || ';'} ${more}`)

/** The complaint about an option in front of a command. */
export const strayOption = (option: string): ConfigError => {
  const name = option.replace(/=.*$/s, '') // what follows may be a key
  return wrongWord(`there is no option ${name}`, name, inFront, 'gatehouse --help lists them')
}

/** Reads the arguments of a command. Throws a ConfigError that says which one nobody knows. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(command: string, args: readonly string[], options: Options) {
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    })
  } catch (cause) {
    const { message } = cause as Error
    const [sentence = ''] = message.split(/\.\s/) // some go on for lines
    const [, unknown] = /^Unknown option '([^']+)'/.exec(sentence) ?? []
    const known = Object.keys({ ...options, help: {} }).map(name => `--${name}`)
    const more = `gatehouse ${command} --help lists its options`
    const [, bare] = /^Option '(?:-\w, )?(--[\w-]+) <value>' argument missing/.exec(message) ?? []
    if (bare !== undefined) throw new ConfigError(`${bare} needs a value; ${more}`, { cause })
    const [, dashed] = /argument is ambiguous.*'(--[\w-]+)=-XYZ'/s.exec(message) ?? []
    if (dashed !== undefined)
      throw new ConfigError(`${dashed} needs a value; one that begins with a dash is written ${dashed}=-…`, { cause })
    if (unknown === undefined) throw new ConfigError(`${sentence}; ${more}`, { cause })
    throw wrongWord(`${command} has no option ${unknown}`, unknown, known, more)
  }
}

/** Refuses arguments that a command, or one task of it, has no use for. */
export function takesNothing(task: string, positionals: readonly string[], command = task): void {
  const [first] = positionals
  if (first !== undefined) throw new ConfigError(`${task} takes no argument "${first}"; gatehouse ${command} --help lists its options`)
}

/** The word behind a command that says what it shall do, and what stands behind that. Throws a ConfigError when it knows no such word. */
export function readTask<const Task extends string>(
  command: string,
  positionals: readonly string[],
  tasks: readonly Task[],
): readonly [Task, readonly string[]] {
  const [word, ...rest] = positionals
  const task = tasks.find(known => known === word)
  if (task !== undefined) return [task, rest]
  const several = tasks.length > 1
  const needs = `${command} needs ${several ? `${tasks.slice(0, -1).join(', ')} or ` : ''}${tasks.at(-1)}`
  throw wrongWord(
    `${needs}${word === undefined ? '' : `, not "${word}"`}`,
    word ?? '',
    tasks,
    `gatehouse ${command} --help says what ${several ? 'they do' : 'it does'}`,
  )
}

/** Refuses options that only other tasks of the command have a use for; `tasksOf` says which. Those it does not name are for all. */
export function refuseOthers(
  command: string,
  task: string,
  values: Readonly<Record<string, unknown>>,
  tasksOf: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [option, tasks] of Object.entries(tasksOf)) {
    if (values[option] === undefined || tasks.includes(task)) continue
    throw new ConfigError(`--${option} is for ${command} ${tasks.join(' and ')}; gatehouse ${command} --help lists its options`)
  }
}
