import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { freePort } from '../../discover/testing.ts'
import { type Behaviour, type StandIn, standIn } from '../../testing/model-process/stand-in.ts'
import type { ChoosePort, Launch, ProcessSpec, ProcessTimes } from '../server-process-spec.ts'
import { usualTimes } from '../server-process-spec.ts'

/** What a log was told. */
export interface LogLine {
  readonly level: string
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines. */
export function keptLog() {
  const lines: LogLine[] = []
  const at = (level: string) => (facts: object, message: string) => void lines.push({ level, message, facts: { ...facts } })
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } as unknown as Logger
  return { log, lines }
}

/** Short enough for tests. */
export const shortTimes: ProcessTimes = {
  ...usualTimes,
  healthEveryMs: 60_000,
  healthTimeoutMs: 300,
  graceMs: 2_000,
  orphanGraceMs: 500,
  restarts: { most: 3, windowMs: 60_000, firstMs: 20, longestMs: 40 },
  cooldownMs: 300,
}

/** A free port of this machine; whoever takes it meanwhile is noticed. */
export const anyPort: ChoosePort = async () => ({ port: await freePort(), release() {} })

export const testKey = 'sk-test-child-0123456789'

/** How a stand-in is launched, as llama-server is. */
export function launchOf(stand: Pick<StandIn, 'folder' | 'executable'>, model: string, port: number): Launch {
  return {
    command: stand.executable,
    args: ['-m', join(stand.folder, `${model}.gguf`), '--port', String(port), '--host', '127.0.0.1', '--alias', model],
    env: { PATH: process.env.PATH ?? '', LLAMA_API_KEY: testKey },
    healthPath: '/health',
    apiKey: testKey,
  }
}

/** A model of the stand-in, as the config would have it. */
export function specOf(stand: StandIn, model: string, behaviour: Behaviour = {}, more: Partial<ProcessSpec> = {}): ProcessSpec {
  stand.model(model, behaviour)
  return { model, print: '1', launch: port => launchOf(stand, model, port), loadTimeoutMs: 10_000, ...more }
}

/** A folder of models and one for notes, gone with the test. */
export function openFolders() {
  const stand = standIn()
  const runFolder = mkdtempSync(join(tmpdir(), 'gatehouse-run-'))
  return {
    stand,
    runFolder,
    [Symbol.dispose]() {
      stand[Symbol.dispose]()
      rmSync(runFolder, { recursive: true, force: true })
    },
  }
}

/** Never aborts. */
export const patient = new AbortController().signal

/** Resolves when it holds; rejects after half a minute, for the machine may be busy. */
export async function until(check: () => boolean, what: string): Promise<void> {
  for (const deadline = performance.now() + 30_000; !check(); await Bun.sleep(5)) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`)
  }
}

/** What a server answers when it is asked by its own key. */
export async function chat(baseUrl: string, model: string, signal: AbortSignal = patient): Promise<{ status: number; model: unknown }> {
  const response = await fetch(`${baseUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    signal,
  })
  const body = (await response.json()) as { model?: unknown }
  return { status: response.status, model: body.model }
}
