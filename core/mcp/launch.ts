import { safeEnvironment } from '../processes/environment.ts'
import type { McpServerConfig } from './types.ts'

/** What to start, and with what. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** How our own binary does what these programs do. `--bun` because a package that wants `node` would not find it either. */
const replacements: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  npx: args => ['x', '--bun', ...withoutConsent(args)],
  bunx: args => ['x', '--bun', ...args],
  node: args => args,
  bun: args => args,
}

/**
 * The command of a stdio server with its environment: what any program needs, and what is configured. Where `npx`, `bunx`, `node`
 * or `bun` is not installed our own binary takes its place, for it has all of them in it.
 */
export function launchOf({ command = '', args, env: own }: McpServerConfig, ours: NodeJS.ProcessEnv, self = process.execPath): Launch {
  const env = { ...safeEnvironment(ours), ...own }
  const replace = replacements[command.replace(/\.(cmd|exe)$/i, '')]
  if (!replace || isInstalled(command, env)) return { command, args, env }
  return { command: self, args: replace(args), env: { ...env, BUN_BE_BUN: '1' } }
}

function isInstalled(command: string, env: Readonly<Record<string, string>>): boolean {
  const path = Object.entries(env).find(([name]) => name.toUpperCase() === 'PATH')?.[1] ?? ''
  return Bun.which(command, { PATH: path }) !== null
}

/** npx asks before it installs, bun does not. Only before the package: what follows is the server's. */
function withoutConsent(args: readonly string[]): readonly string[] {
  const first = args.findIndex(arg => !/^(-y|--yes|-q|--quiet)$/.test(arg))
  return first === -1 ? [] : args.slice(first)
}
