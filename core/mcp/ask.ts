import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { type Limits, orAborted } from './limits.ts'
import { McpFailure } from './mcp-failure.ts'
import { inScope } from './request-scope.ts'
import { concernsConnection, translate } from './translate.ts'
import type { Progress } from './types.ts'

/** What the SDK takes with a request. */
export type SdkOptions = NonNullable<Parameters<Client['request']>[2]>

/** Runs one request to a server; whatever fails is an McpFailure, or the reason of the signal. */
export type Ask = <T>(limits: Limits, work: (options: SdkOptions) => Promise<T>) => Promise<T>

/** A stream that has ended may have brought the answer as its last message, and one that has brought it is about to end. */
const afterwordMs = 500

/** Longer than a timer can be: the signal is the limit. */
const noLimitMs = 2 ** 31 - 1

/** `onTrouble` is called when the connection itself may be at fault. */
export function createAsk(onTrouble: () => void): Ask {
  return async (limits, work) => {
    const asked = new AbortController() // the SDK would take a signal that aborts later for a request that is cancelled
    const open = new AbortController()
    const deadEnd = Promise.withResolvers<never>()
    deadEnd.promise.catch(() => {})
    let isOver = false
    const onAbort = () => {
      asked.abort(limits.signal.reason)
      open.abort(limits.signal.reason)
    }
    const onDeadEnd = () =>
      setTimeout(() => deadEnd.reject(new McpFailure('gone', 'the answer of the server broke off')), afterwordMs).unref()
    const scope = { requestId: limits.requestId, signal: open.signal, posted: false, onDeadEnd }
    const options: SdkOptions = { signal: asked.signal, timeout: noLimitMs }
    // the last progress may come after the result
    if (limits.onProgress) options.onprogress = (progress: Progress) => isOver || limits.onProgress?.(progress)

    limits.signal.throwIfAborted()
    limits.signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await orAborted(limits.signal, Promise.race([inScope(scope, () => work(options)), deadEnd.promise]))
    } catch (error) {
      if (limits.signal.aborted) throw limits.signal.reason
      if (concernsConnection(error)) onTrouble()
      throw translate(error)
    } finally {
      isOver = true
      limits.signal.removeEventListener('abort', onAbort)
      if (scope.posted) setTimeout(() => open.abort(), afterwordMs).unref()
    }
  }
}
