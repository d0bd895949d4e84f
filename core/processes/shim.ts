import { join } from 'node:path'
import { within } from '../within.ts'
import { safeEnvironment } from './environment.ts'
import { readLines } from './lines.ts'
import type { Order, Report, Stop } from './messages.ts'

/** The house's end of the channel to a shim. */
export interface Shim {
  readonly pid: number
  /** Nothing happens when it has ended already. */
  tell(message: Order | Stop): void
  kill(): void
  /** The way to and from a program that is spoken to. */
  readonly talk: Talk | undefined
  /** Resolves when it has ended and everything it reported is here. */
  readonly gone: Promise<void>
  /** Resolves when nobody writes to its output any more, or a little later; ask once the program is gone. */
  lastLines(): Promise<void>
}

/** The two ends of a conversation with a program. */
export interface Talk {
  readonly stdin: Bun.FileSink
  /** Its bytes as they come; read them, or it waits for ever. */
  readonly stdout: ReadableStream<Uint8Array>
}

export interface ShimOptions {
  /** The command that starts the shim; by default it is ourselves. */
  readonly runner?: readonly string[] | undefined
  /** What the shim is to run. */
  readonly argv: readonly string[]
  readonly onReport: (report: Report) => void
  readonly onOutput?: ((line: string, from: 'stdout' | 'stderr') => void) | undefined
  /** The program is spoken to; then `onOutput` hears of its stderr only. */
  readonly speaks?: boolean | undefined
}

/** The last words of a process may arrive after the news of its end. */
const lastWordsMs = 250

/** Starts a shim, `gatehouse __runner`; it does nothing before it has its order. */
export function startShim({ runner = ourselves(), argv, onReport, onOutput, speaks = false }: ShimOptions): Shim {
  const heardAll = Promise.withResolvers<void>()
  const shim = Bun.spawn([...runner, ...argv], {
    env: environment(),
    detached: true, // a session of its own: a Ctrl-C at our terminal does not reach it
    windowsHide: true,
    stdin: speaks ? 'pipe' : 'ignore',
    stdout: onOutput || speaks ? 'pipe' : 'ignore',
    stderr: onOutput ? 'pipe' : 'ignore',
    serialization: 'json',
    ipc: onReport,
    onDisconnect: () => heardAll.resolve(),
  })
  const read = (['stdout', 'stderr'] as const).map(from => {
    const stream = speaks && from === 'stdout' ? undefined : shim[from]
    return onOutput && stream && readLines(stream, line => onOutput(line, from))
  })
  return {
    pid: shim.pid,
    talk: shim.stdin && speaks && shim.stdout ? { stdin: shim.stdin, stdout: shim.stdout } : undefined,
    tell(message) {
      try {
        shim.send(message)
      } catch {
        // it has ended
      }
    },
    kill: () => shim.kill('SIGKILL'),
    gone: shim.exited.then(async () => {
      await within(lastWordsMs, heardAll.promise)
    }),
    async lastLines() {
      await within(lastWordsMs, Promise.all(read))
    },
  }
}

const ourselves = (): readonly string[] => [
  process.execPath,
  ...(Bun.isStandaloneExecutable ? [] : [join(import.meta.dir, '..', 'main.ts')]),
  '__runner',
]

/** On macOS the flag would end the shim together with us, before it could end the program in order. */
const environment = () => ({
  ...safeEnvironment(process.env),
  ...(process.platform !== 'darwin' && { BUN_FEATURE_FLAG_NO_ORPHANS: '1' }),
})
