import { printError } from './cli/output.ts'
import { ConfigError } from './errors.ts'
import { whereThrown } from './log/serialise-error.ts'
import { runChild } from './processes/runner.ts'

/** The process's last words: a line for each mistake of the operator, the whole story of a mistake of ours. */
async function fail(error: unknown): Promise<never> {
  const known = error instanceof ConfigError
  const lines = (known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)).split('\n')
  await printError(`${lines.map(line => (known ? `gatehouse: ${line}` : line)).join('\n')}\n`)
  process.exit(1)
}

/** The composition root: arguments → command. */
async function main(argv: readonly string[]): Promise<void> {
  // an error in a forgotten corner of one request must not take the others down
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    process.on(event, (error: unknown) => {
      process.stderr.write(`gatehouse: ${event}: ${whereThrown(error)}\n`)
    })
  }
  const { runCommand } = await import('./cli/commands.ts')
  await runCommand(argv)
}

const [command, ...rest] = process.argv.slice(2)
// before the house is loaded: this process only watches over a program the house has started
if (command === '__runner') await runChild(rest)
else main(process.argv.slice(2)).catch(fail)
