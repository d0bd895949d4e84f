import { totalmem } from 'node:os'

/** As much memory as the garbage collector is told of. Bytes. */
const toldMemory = 1024 ** 3

/** What the runtime reads from its environment, and only when it starts. */
const settings: Readonly<Record<string, string>> = {
  /** More connections to backends than anybody has; the limit is 256 otherwise, and above it fetches queue in silence. */
  BUN_CONFIG_MAX_HTTP_REQUESTS: '20000',
  /**
   * The garbage collector lets more lie the more memory the machine has. As if that were 1 GiB, 50 busy connections are
   * 90 MB of resident memory, always; otherwise 95 to 120, and the work is no less (README of bench/). A smaller one knows
   * better itself.
   */
  ...(Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) > toldMemory && {
    BUN_JSC_forceRAMSize: String(toldMemory),
  }),
}

/** Replaces the process by itself, in place and with the same pid, once, before anything is opened. What is set already stays. */
export function settleRuntime(): void {
  const { env } = process
  if (Object.keys(settings).every(name => env[name])) return
  const { execve, execPath, execArgv, argv } = process as typeof process & {
    execve?: (file: string, args: string[], env: NodeJS.ProcessEnv) => never
  }
  if (!execve || process.platform === 'win32') return // on Windows it is there, and throws
  const own = Bun.isStandaloneExecutable ? argv.slice(2) : [...execArgv, ...argv.slice(1)]
  // of a variable that is empty, nobody knows what the runtime makes
  const given = Object.fromEntries(Object.entries(env).filter(([name, value]) => value || !(name in settings)))
  execve(execPath, [execPath, ...own], { ...settings, ...given })
}
