import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { ConfigError } from '../errors.ts'

/** What is on the command line: the word that names the command, if there is one, and everything else. */
export interface CommandLine {
  readonly command: string | undefined
  readonly rest: readonly string[]
}

/** Options that may stand in front of the command and take a value. */
const withValue = new Set(['-c', '--config', '-p', '--port', '--host'])

/** Finds the command in the arguments. */
export function splitCommand(argv: readonly string[]): CommandLine {
  // LlamaWrapper's Go flags have one dash
  const args = argv.map(argument => (/^-config(=|$)/.test(argument) ? `-${argument}` : argument))
  const at = args.findIndex((argument, index) => !argument.startsWith('-') && !withValue.has(args[index - 1] ?? ''))
  return { command: args[at], rest: args.filter((_, index) => index !== at) }
}

/** Reads the arguments of a command. Throws a ConfigError that says which one nobody knows. */
export function readArguments<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    })
  } catch (cause) {
    throw new ConfigError((cause as Error).message.split('. ')[0] as string, { cause })
  }
}

/** Refuses arguments that a command has no use for. */
export function takesNothing(command: string, positionals: readonly string[]): void {
  const [first] = positionals
  if (first !== undefined) throw new ConfigError(`${command} takes no argument "${first}"; gatehouse ${command} --help lists its options`)
}

/** Writes to stdout, and waits until whoever reads it has it: a process that ends at once would cut a long text. */
export async function print(text: string): Promise<void> {
  await Bun.write(Bun.stdout, text)
}
