export interface SignalHandlers {
  readonly stop: (signal: string) => Promise<void>
  /** A second signal while stopping. */
  readonly force: () => void
}

/** SIGINT and SIGTERM stop, a second one forces. */
export function onSignals({ stop, force }: SignalHandlers): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) return force()
      stopping = true
      stop(signal).catch(error => {
        process.stderr.write(`gatehouse: ${error instanceof Error ? error.message : String(error)}\n`)
        process.exit(1)
      })
    })
  }
}
