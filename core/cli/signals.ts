export interface SignalHandlers {
  readonly stop: (signal: string) => Promise<void>
  /** A second signal while stopping. */
  readonly force: () => void
  /** SIGHUP of a service manager or of logrotate. */
  readonly reload: () => void
}

/**
 * SIGINT and SIGTERM stop, a second one forces. SIGHUP reloads, but where gatehouse runs in a terminal it means that
 * the terminal was closed, and then nothing must be left behind.
 */
export function onSignals({ stop, force, reload }: SignalHandlers): void {
  let stopping = false
  const end = (signal: string) => {
    if (stopping) return force()
    stopping = true
    stop(signal).catch(error => {
      process.stderr.write(`gatehouse: ${error instanceof Error ? error.message : String(error)}\n`)
      process.exit(1)
    })
  }
  const inTerminal = process.stdout.isTTY || process.stderr.isTTY
  process.on('SIGINT', () => end('SIGINT'))
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGHUP', () => {
    if (inTerminal || process.platform === 'win32') end('SIGHUP')
    else reload()
  })
  // the console window of Windows, and Ctrl+Break in it
  if (process.platform === 'win32') process.on('SIGBREAK', () => end('SIGBREAK'))
}
