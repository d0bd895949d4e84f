/** What a model server said when it was asked how it is: fine, another status, or nothing, and then why. */
export type Health = 'well' | { readonly status: number } | { readonly silent: string }

/** Where to ask. */
export interface HealthCheck {
  readonly url: string
  /** The child's own key, for servers that want it there too. */
  readonly apiKey?: string | undefined
}

/** Asks once. Never rejects. */
export async function askHealth({ url, apiKey }: HealthCheck, timeoutMs: number, signal?: AbortSignal): Promise<Health> {
  const late = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      // a connection of its own: one that was kept may lead to a process that is gone
      headers: { connection: 'close', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, late]) : late,
    })
    await response.body?.cancel()
    return response.ok ? 'well' : { status: response.status }
  } catch (error) {
    if (late.aborted) return { silent: `no answer within ${timeoutMs} ms` }
    return { silent: String((error as { code?: unknown }).code ?? (error as Error).message) }
  }
}

/** In words, for the log. */
export const describeHealth = (health: Health): string =>
  health === 'well' ? 'it is well' : 'status' in health ? `it answered ${health.status}` : health.silent

const firstPauseMs = 20
const longestPauseMs = 500
const askMs = 2_000
const shortestAskMs = 100

/** Asks again and again until the server is well. Resolves with what it said last when the time is over or the signal aborts. */
export async function untilWell(check: HealthCheck, timeoutMs: number, signal: AbortSignal): Promise<Health> {
  const deadline = performance.now() + timeoutMs
  let health: Health | undefined
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.3, longestPauseMs)) {
    const leftMs = deadline - performance.now()
    // what it said before says more than that it was silent for a moment
    if (signal.aborted || (health && leftMs < shortestAskMs)) return health ?? { silent: 'it was not asked' }
    health = await askHealth(check, Math.max(shortestAskMs, Math.min(askMs, Math.ceil(leftMs))), signal)
    if (health === 'well') return health
    await pause(Math.min(pauseMs, deadline - performance.now()), signal)
  }
}

/** Resolves after a time, or when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
