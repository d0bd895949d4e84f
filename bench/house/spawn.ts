import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A process of the benchmark. Disposing ends it. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** The lines of its standard output, unless they go to a file. */
  readonly lines: AsyncIterator<string>
  readonly exited: Promise<number>
}

export interface SpawnOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Where its output goes, errors too; without it, the standard output can be read as `lines`. */
  readonly logFile?: string
  /** When it is killed at the latest. */
  readonly lifeMs?: number
}

/** Starts a process with as many file descriptors as the machine allows: a thousand streams are two thousand sockets. */
export function spawnChild(command: readonly string[], { cwd, env = {}, logFile, lifeMs }: SpawnOptions = {}): Child {
  const log = logFile === undefined ? undefined : openSync(logFile, 'w')
  const child = Bun.spawn(['sh', '-c', 'ulimit -n "$(ulimit -Hn)" 2>/dev/null; exec "$@"', 'sh', ...command], {
    ...(cwd !== undefined && { cwd }),
    ...(lifeMs !== undefined && { timeout: lifeMs }),
    // Bun's own switch: a child that runs under Bun ends with this process, however that ends
    env: { PATH: process.env.PATH ?? '', BUN_FEATURE_FLAG_NO_ORPHANS: '1', ...env },
    stdin: 'ignore',
    stdout: log ?? 'pipe',
    stderr: log ?? 'inherit',
  })
  if (log !== undefined) closeSync(log)
  return {
    pid: child.pid,
    lines: linesOf(child.stdout instanceof ReadableStream ? child.stdout : new Blob().stream()),
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** A folder that is gone when it is disposed. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Waits until `check` gives something; an error that names `what` after ten seconds. */
export async function until<T>(check: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const found = await check()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`never came: ${what}`)
    await Bun.sleep(20)
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() as string
    yield* lines
  }
}
