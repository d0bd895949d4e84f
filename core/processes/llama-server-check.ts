import { readProps, shortcoming } from './llama-server-props.ts'

/** A llama-server that says it is well. */
export interface CheckedServer {
  readonly baseUrl: string
  readonly apiKey?: string | undefined
}

export interface LlamaServerCheck {
  /** What the config promises to each request, and to how many. */
  readonly wanted: { readonly slots: number; readonly contextSize: number }
  /** Called with a sentence when it has less; it serves all the same. */
  readonly onShortcoming: (problem: string) => void
}

/**
 * Makes a last look at a llama-server: `/health` answers everybody, `/props` only who has the key. Rejects when it does not
 * take ours, for then it is another one on the same port. A program that has no `/props` is let pass.
 */
export function checkLlamaServer({ wanted, onShortcoming }: LlamaServerCheck) {
  return async ({ baseUrl, apiKey }: CheckedServer, signal: AbortSignal): Promise<void> => {
    // a connection of its own: one that was kept may lead to a process that is gone
    const headers = { connection: 'close', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) }
    const response = await fetch(`${baseUrl}/props`, { headers, redirect: 'manual', signal })
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel()
      throw Object.assign(new Error('does not take the key it was started with; another program listens on its port'), {
        code: 'EADDRINUSE',
      })
    }
    const answer: unknown = response.ok ? await response.json().catch(() => undefined) : await response.body?.cancel()
    const problem = shortcoming(readProps(answer), wanted)
    if (problem) onShortcoming(problem)
  }
}
