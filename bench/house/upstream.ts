import { join } from 'node:path'
import type { UpstreamReport } from '../upstream/report.ts'
import { spawnChild } from './spawn.ts'

/** The fake upstream in its own process. */
export interface UpstreamProcess extends AsyncDisposable {
  readonly url: string
  report(): Promise<UpstreamReport>
}

export interface UpstreamOptions {
  /** Where it listens; 0 for any port. */
  readonly port?: number
  /** Milliseconds between two events of a stream; 0 for no pause at all. */
  readonly intervalMs?: number
  /** Bytes per second of an endless stream. */
  readonly rate?: number
}

const script = join(import.meta.dir, '..', 'upstream.ts')

/** The command of a fake upstream without pauses, for a gatehouse that runs it itself. */
export const upstreamCommand = [process.execPath, script, '--interval', '0', '--port']
  .map(word => `'${word}'`)
  .join(' ')
  .concat(' $', '{PORT}')

/** What a fake upstream has answered. */
export const reportOf = async (url: string): Promise<UpstreamReport> =>
  (await (await fetch(`${url}/bench/report`)).json()) as UpstreamReport

/** Starts the fake upstream and waits until it listens. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<UpstreamProcess> {
  const { port = 0, intervalMs = 50, rate = Number.POSITIVE_INFINITY } = options
  const order = { '--port': port, '--interval': intervalMs, '--rate': rate }
  const child = spawnChild([process.execPath, script, ...Object.entries(order).flat().map(String)])
  const said = JSON.parse((await child.lines.next()).value ?? '{"failed":"it ended before it said anything"}')
  if (said.failed !== undefined) throw new Error(`the fake upstream cannot listen on port ${port}: ${said.failed}`)
  const url = `http://127.0.0.1:${said.port}`
  return {
    url,
    report: () => reportOf(url),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}
