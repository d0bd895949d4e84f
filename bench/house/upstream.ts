import { join } from 'node:path'
import type { UpstreamReport } from '../upstream/report.ts'
import { spawnChild } from './spawn.ts'

/** The fake upstream in its own process. */
export interface UpstreamProcess extends AsyncDisposable {
  readonly url: string
  report(): Promise<UpstreamReport>
}

export interface UpstreamOptions {
  /** Milliseconds between two events of a stream. */
  readonly intervalMs?: number
  /** Bytes per second of an endless stream. */
  readonly rate?: number
}

/** Starts the fake upstream and waits until it listens. */
export async function startUpstream({ intervalMs = 50, rate = Number.POSITIVE_INFINITY }: UpstreamOptions = {}): Promise<UpstreamProcess> {
  const script = join(import.meta.dir, '..', 'upstream.ts')
  const child = spawnChild([process.execPath, script, '--interval', String(intervalMs), '--rate', String(rate)])
  const { port } = JSON.parse((await child.lines.next()).value ?? '{}')
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    report: async () => (await (await fetch(`${url}/bench/report`)).json()) as UpstreamReport,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
