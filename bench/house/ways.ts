import type { Setting } from '../report/part.ts'
import { startGatehouse } from './gatehouse.ts'
import { startNginx } from './nginx.ts'
import { checkRival } from './rival.ts'
import { startUpstream, type UpstreamProcess } from './upstream.ts'

/** One way to the upstream. */
export interface Way {
  readonly name: string
  readonly url: string
  /** Whose memory and processor time it costs. */
  readonly pid?: number
  /** Rivals may write the JSON anew, and what they get wrong does not end the run. */
  readonly rival: boolean
  /** What it wants to be shown. */
  readonly key?: string
  /** Who answers there, where it is not the upstream of all. */
  readonly answeredBy?: Pick<UpstreamProcess, 'report'>
}

/** All ways that are compared, started. Disposing ends them. */
export interface Ways extends AsyncDisposable {
  readonly upstream: UpstreamProcess
  readonly all: readonly Way[]
}

/** Which ways there are besides those of every comparison. */
export interface MoreWays {
  /** All that nginx can do, not just its plain proxy. */
  readonly everyNginx?: boolean
  /** A gatehouse with its cache. */
  readonly cached?: boolean
}

/** Starts an upstream without pauses and all ways to it: direct, gatehouse, nginx when there is one, and the rivals. */
export async function openWays(
  { binary, nginx, rivals, upstreamPort }: Setting,
  { everyNginx = false, cached = false }: MoreWays = {},
): Promise<Ways> {
  await using stack = new AsyncDisposableStack()
  const upstream = stack.use(await startUpstream({ port: upstreamPort, intervalMs: 0 }))
  const gatehouse = stack.use(await startGatehouse(binary, upstream.url))
  const caching = cached ? stack.use(await startGatehouse(binary, upstream.url, { cache: true })) : undefined
  const one = nginx ? stack.use(await startNginx(nginx, upstream.url, 1)) : undefined
  const auto = nginx && everyNginx ? stack.use(await startNginx(nginx, upstream.url, 'auto')) : undefined
  for (const rival of rivals) await checkRival(rival, upstream.url)
  const started = stack.move()
  return {
    upstream,
    all: [
      { name: 'direct', url: upstream.url, rival: false },
      { name: 'gatehouse', url: gatehouse.url, pid: gatehouse.pid, rival: false },
      ...(caching ? [{ name: 'gatehouse, cached', url: caching.url, pid: caching.pid, rival: false }] : []),
      ...(one ? [{ name: 'nginx plain', url: one.plain, pid: one.pid, rival: false }] : []),
      ...(one && everyNginx ? [{ name: 'nginx keep-alive', url: one.kept, pid: one.pid, rival: false }] : []),
      ...(auto ? [{ name: 'nginx plain, auto', url: auto.plain, pid: auto.pid, rival: false }] : []),
      ...rivals.map(rival => ({ ...rival, rival: true })),
    ],
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
