import { parseArgs } from 'node:util'
import { builtIn, reserved } from '../plugins/index.ts'
import { help } from './cli/help.ts'
import { serveCommand } from './cli/serve.ts'
import { ConfigError } from './errors.ts'
import * as gatehouse from './index.ts'
import { provideModule } from './plugins.ts'
import { raiseConnectionLimit } from './runtime.ts'
import { version } from './version.ts'

const options = {
  config: { type: 'string', short: 'c' },
  host: { type: 'string' },
  port: { type: 'string', short: 'p' },
  demo: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** The composition root: arguments → command. Alone knows every concrete name. */
async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parse(argv)
  const [command = 'serve', ...rest] = positionals
  if (values.help || command === 'help') return print(help)
  if (values.version || command === 'version') return print(`gatehouse ${version}\n`)
  if (command !== 'serve' && command !== 'demo') throw new ConfigError(`there is no command "${command}"; gatehouse --help lists them`)
  if (rest.length > 0) throw new ConfigError(`${command} takes no argument "${rest[0]}"; gatehouse --help lists its options`)
  raiseConnectionLimit()
  provideModule('gatehouse', gatehouse)
  await serveCommand(
    {
      config: values.config,
      host: values.host,
      port: values.port === undefined ? undefined : portNumber(values.port),
      demo: command === 'demo' ? 'always' : values.demo ? 'beside' : 'never',
    },
    { builtIn, reserved },
  )
}

function parse(argv: readonly string[]) {
  // LlamaWrapper's Go flags have one dash
  const args = argv.map(argument => (/^-config(=|$)/.test(argument) ? `-${argument}` : argument))
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (cause) {
    throw new ConfigError((cause as Error).message.split('. ')[0] as string, { cause })
  }
}

function portNumber(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new ConfigError(`--port must be a whole number from 0 to 65535, not "${text}"`)
}

const print = (text: string): void => {
  process.stdout.write(text)
}

// an error in a forgotten corner of one request must not take the others down
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => {
    // the name and where, not the message: it may quote what a client or a backend sent
    const where = error instanceof Error ? `${error.name} ${error.stack?.split('\n').slice(1, 6).join('\n') ?? ''}` : typeof error
    process.stderr.write(`gatehouse: ${event}: ${where}\n`)
  })
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof ConfigError
  const lines = (known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)).split('\n')
  process.stderr.write(`${lines.map(line => (known ? `gatehouse: ${line}` : line)).join('\n')}\n`)
  process.exit(1)
})
