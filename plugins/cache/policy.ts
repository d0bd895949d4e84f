import type { Context, Operation, Payload } from 'gatehouse'
import { readCacheControl } from './cache-control.ts'

/** What the cache may do with a request. */
export interface Policy {
  /** Answer from what is kept, if that is younger than `maxAgeMs`. */
  readonly read: boolean
  /** Keep the answer. */
  readonly keep: boolean
  readonly maxAgeMs: number
  /** Why it does less than it could; empty when it does all. */
  readonly why: string
}

/** Operations whose answers are kept. */
export const kept: ReadonlySet<Operation> = new Set(['chat.completions', 'completions', 'embeddings'])

const passBy = (why: string): Policy => ({ read: false, keep: false, maxAgeMs: 0, why })

/** `auto` passes by requests that ask for variety; `all` keeps those too. */
export function policyFor({ payload, request }: Pick<Context, 'payload' | 'request'>, mode: 'auto' | 'all'): Policy {
  const variety = mode === 'auto' ? asksForVariety(payload) : undefined
  if (variety) return passBy(variety)
  if (namesResource(payload)) return passBy('mcp:// in a message')
  const { noCache, noStore, maxAgeMs } = readCacheControl(request.headers.get('cache-control'))
  if (noStore) return passBy('no-store')
  return { read: !noCache, keep: true, maxAgeMs, why: noCache ? 'no-cache' : '' }
}

/** Asked twice, such a request wants two answers. */
function asksForVariety({ temperature, seed, n }: Readonly<Payload>): string | undefined {
  if (typeof temperature === 'number' && temperature > 0 && (seed === undefined || seed === null)) return 'temperature without seed'
  if (typeof n === 'number' && n > 1) return 'n > 1'
}

/** A resource may have changed since; LlamaGate looks for them in every message, in the case of these letters. */
function namesResource({ messages }: Readonly<Payload>): boolean {
  return messages !== undefined && messages !== null && mentions(messages, 'mcp://')
}

function mentions(value: unknown, words: string): boolean {
  if (typeof value === 'string') return value.includes(words)
  if (typeof value !== 'object' || value === null) return false
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  return inner.some(part => mentions(part, words))
}
