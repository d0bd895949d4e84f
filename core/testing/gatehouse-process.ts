import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The command that starts gatehouse: the compiled binary when `GATEHOUSE_BINARY` names one, else the sources. */
export const gatehouseCommand: readonly string[] = process.env.GATEHOUSE_BINARY
  ? [join(process.cwd(), process.env.GATEHOUSE_BINARY)]
  : [process.execPath, join(import.meta.dir, '..', 'main.ts')]

/** A gatehouse in a process of its own. */
export interface GatehouseProcess extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Everything it wrote so far. */
  readonly output: { stdout: string; stderr: string }
  /** Its working directory. */
  readonly folder: string
  signal(name: NodeJS.Signals): void
  readonly exited: Promise<number>
  /** Resolves when `check` holds; rejects after ten seconds or when the process ends. */
  until(check: (output: { stdout: string; stderr: string }) => boolean, what: string): Promise<void>
}

export interface ProcessOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
}

/** Runs a command to its end. */
export async function runGatehouse({ args = [], env = {}, files = {} }: ProcessOptions = {}) {
  await using process = await spawn({ args, env, files })
  const code = await process.exited
  return { code, ...process.output }
}

/** Starts `gatehouse serve` and waits until it listens. */
export async function startGatehouse({
  args = ['serve', '--port', '0'],
  env = {},
  files = {},
}: ProcessOptions = {}): Promise<GatehouseProcess> {
  const child = await spawn({ args, env, files })
  const port = () => child.output.stdout.match(/"port":(\d+)/)?.[1]
  await child.until(() => port() !== undefined, 'the line that says the port')
  return Object.assign(child, { url: `http://127.0.0.1:${port()}` })
}

async function spawn({ args = [], env = {}, files = {} }: ProcessOptions): Promise<GatehouseProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  for (const [name, content] of Object.entries(files)) await Bun.write(join(folder, name), content)
  const output = { stdout: '', stderr: '' }
  let changed: (() => void)[] = []
  const child = Bun.spawn([...gatehouseCommand, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, OLLAMA_AUTOSTART: 'false', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const collect = async (stream: ReadableStream<Uint8Array>, name: 'stdout' | 'stderr') => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) {
      output[name] += decoder.decode(bytes, { stream: true })
      const waiting = changed
      changed = []
      for (const wake of waiting) wake()
    }
  }
  const drained = Promise.all([collect(child.stdout, 'stdout'), collect(child.stderr, 'stderr')])
  const exited = drained.then(() => child.exited)

  return {
    url: '',
    pid: child.pid,
    output,
    folder,
    signal: name => child.kill(name),
    exited,
    async until(check, what) {
      const deadline = Date.now() + 10_000
      while (!check(output)) {
        const ended = await Promise.race([
          new Promise<false>(resolve => changed.push(() => resolve(false))),
          exited.then(() => true),
          Bun.sleep(Math.max(1, deadline - Date.now())),
        ])
        if (check(output)) return
        if (ended === true || Date.now() >= deadline) throw new Error(`never came: ${what}\n${output.stdout}\n${output.stderr}`)
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
