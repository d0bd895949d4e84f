import { alwaysOn, builtIn, reserved } from '../../plugins/index.ts'
import { ConfigError } from '../errors.ts'
import * as gatehouse from '../index.ts'
import { provideModule } from '../plugins.ts'
import { settleRuntime } from '../runtime.ts'
import { version } from '../version.ts'
import { readArguments, splitCommand, strayOption, takesNothing, wrongWord } from './arguments.ts'
import { adminHelp, auditHelp, backupHelp, cacheHelp, configHelp, doctorHelp, help, serveHelp, usageHelp, versionHelp } from './help.ts'
import { keyHelp } from './key/help.ts'
import { modelHelp, syncHelp } from './model/help.ts'
import { print } from './output.ts'
import { loadHelp, logsHelp, psHelp, unloadHelp } from './processes/help.ts'
import { serveCommand } from './serve.ts'

/** What a command does with its arguments. It throws a ConfigError for a mistake of the operator. */
type Command = (args: readonly string[]) => Promise<void>

const plugins = { builtIn, reserved, alwaysOn }

/** Every command, by name. What only some commands need is loaded by them: `serve` must be up in no time. */
const commands: Readonly<Record<string, Command>> = {
  serve: args => serveOrDemo('serve', args),
  demo: args => serveOrDemo('demo', args),
  async config(args) {
    provideModule('gatehouse', gatehouse)
    const { configCommand } = await import('./config.ts')
    await configCommand(args, plugins)
    process.exit(0) // whatever a plugin's file may have begun
  },
  async doctor(args) {
    const { values, positionals } = readArguments('doctor', args, { config: { type: 'string', short: 'c' }, json: { type: 'boolean' } })
    if (values.help) return print(doctorHelp)
    takesNothing('doctor', positionals)
    provideModule('gatehouse', gatehouse)
    const { doctorCommand } = await import('./doctor.ts')
    process.exit(await doctorCommand({ config: values.config, json: values.json === true }, plugins))
  },
  async key(args) {
    const { keyCommand } = await import('./key.ts')
    await keyCommand(args)
  },
  async model(args) {
    const { modelCommand } = await import('./model.ts')
    await modelCommand(args)
  },
  async sync(args) {
    const { syncCommand } = await import('./sync.ts')
    await syncCommand(args)
  },
  async ps(args) {
    const { psCommand } = await import('./ps.ts')
    await psCommand(args)
  },
  async load(args) {
    const { loadCommand } = await import('./load.ts')
    await loadCommand(args)
  },
  async unload(args) {
    const { unloadCommand } = await import('./unload.ts')
    await unloadCommand(args)
  },
  async logs(args) {
    const { logsCommand } = await import('./logs.ts')
    await logsCommand(args)
  },
  async usage(args) {
    const { usageCommand } = await import('./usage.ts')
    await usageCommand(args)
  },
  async audit(args) {
    const { auditCommand } = await import('./audit.ts')
    await auditCommand(args)
  },
  async backup(args) {
    const { backupCommand } = await import('./backup.ts')
    await backupCommand(args)
  },
  async cache(args) {
    const { cacheCommand } = await import('./cache.ts')
    await cacheCommand(args)
  },
  async admin(args) {
    const { adminCommand } = await import('./admin.ts')
    await adminCommand(args)
  },
  async version(args) {
    const { values, positionals } = readArguments('version', args, { json: { type: 'boolean' } })
    if (values.help) return print(versionHelp)
    takesNothing('version', positionals)
    return print(values.json ? `${JSON.stringify({ version })}\n` : `gatehouse ${version}\n`)
  },
  async help(args) {
    const name = args.find(argument => !argument.startsWith('-')) ?? 'help'
    const found = Object.hasOwn(helpOf, name) ? helpOf[name] : undefined
    if (found === undefined) throw noCommand(name)
    return print(found)
  },
}

const helpOf: Readonly<Record<string, string>> = {
  serve: serveHelp,
  demo: serveHelp,
  config: configHelp,
  doctor: doctorHelp,
  key: keyHelp,
  model: modelHelp,
  sync: syncHelp,
  ps: psHelp,
  load: loadHelp,
  unload: unloadHelp,
  logs: logsHelp,
  usage: usageHelp,
  audit: auditHelp,
  backup: backupHelp,
  cache: cacheHelp,
  admin: adminHelp,
  version: versionHelp,
  help,
}

/** Commands that later releases bring. */
const later: readonly string[] = ['plugin', 'import']

/** Runs what the command line asks for; `serve` when it names nothing. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  const { command, rest, stray } = splitCommand(argv)
  const [first] = rest
  const asksVersion = (argument: string | undefined) => argument === '--version' || argument === '-v'
  if (command === undefined && rest.some(asksVersion)) return commands.version?.(rest.filter(argument => !asksVersion(argument)))
  if (command === undefined && (first === '--help' || first === '-h')) return commands.help?.([])
  const run = Object.hasOwn(commands, command ?? 'serve') ? commands[command ?? 'serve'] : undefined
  if (run) return run(rest)
  // what looks like the command is perhaps the value of an option that nobody knows
  if (stray !== undefined) throw strayOption(stray)
  throw noCommand(String(command))
}

function noCommand(name: string): ConfigError {
  if (later.includes(name)) return new ConfigError(`${name} is not part of this release yet; gatehouse --help lists the commands there are`)
  return wrongWord(`there is no command "${name}"`, name, Object.keys(commands), 'gatehouse --help lists them')
}

async function serveOrDemo(name: 'serve' | 'demo', args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(name, args, {
    config: { type: 'string', short: 'c' },
    host: { type: 'string' },
    port: { type: 'string', short: 'p' },
    demo: { type: 'boolean' },
  })
  if (values.help) return print(serveHelp)
  takesNothing(name, positionals)
  const port = values.port === undefined ? undefined : portNumber(values.port)
  settleRuntime()
  provideModule('gatehouse', gatehouse)
  const demo = name === 'demo' ? 'always' : values.demo ? 'beside' : 'never'
  await serveCommand({ config: values.config, host: values.host, port, demo }, plugins)
}

function portNumber(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new ConfigError(`--port must be a whole number from 0 to 65535, not "${text}"`)
}
