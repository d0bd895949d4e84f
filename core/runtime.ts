/** More connections to backends than anybody has; the runtime's own limit is 256, and it queues silently above. */
const maxConnections = '20000'

/**
 * Bun reads its limit on concurrent fetches from the environment, and only at its start. So the process is
 * replaced by itself, in place and with the same pid, once, before anything is opened.
 */
export function raiseConnectionLimit(): void {
  if (process.env.BUN_CONFIG_MAX_HTTP_REQUESTS) return
  const { execve, execPath, execArgv, argv } = process as typeof process & {
    execve?: (file: string, args: string[], env: NodeJS.ProcessEnv) => never
  }
  if (!execve || process.platform === 'win32') return // on Windows it is there, and throws
  const own = Bun.isStandaloneExecutable ? argv.slice(2) : [...execArgv, ...argv.slice(1)]
  execve(execPath, [execPath, ...own], { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: maxConnections })
}
