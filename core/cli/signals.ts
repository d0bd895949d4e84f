import { watchTerminal } from './terminal.ts'

export interface SignalHandlers {
  readonly stop: (signal: string) => Promise<void>
  /** A second signal while stopping. */
  readonly force: () => void
  /** SIGHUP of a service manager or of logrotate. */
  readonly reload: () => void
}

/**
 * SIGINT, SIGTERM and SIGQUIT stop, a second one forces. SIGHUP reloads, unless it comes because the terminal was
 * closed: then nothing must be left behind.
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
  const terminalIsGone = watchTerminal()
  process.on('SIGINT', () => end('SIGINT'))
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGQUIT', () => end('SIGQUIT'))
  process.on('SIGHUP', () => {
    // Windows sends it when the console window is closed
    if (terminalIsGone() || process.platform === 'win32') end('SIGHUP')
    else reload()
  })
  if (process.platform === 'win32') process.on('SIGBREAK', () => end('SIGBREAK'))
}
