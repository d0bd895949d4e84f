import { type Context, meaningfulHeaders, type Principal, type ResolvedModel, trimSlashes } from 'gatehouse'
import { type Canonical, canonical } from './canonical.ts'
import { parseExactly } from './exact-number.ts'

/** Everything that can change an answer and does not stand in the payload. */
export interface Surroundings {
  readonly model: ResolvedModel
  /** What the layers below add to this request. */
  readonly below: string
  /** The part of the config that decides how this model is answered. */
  readonly config: string
}

/** What a key needs of a request. */
export type Asked = Pick<Context, 'operation' | 'url' | 'payload' | 'principal' | 'request' | 'wire'>

/** Fields that say how an answer is sent or whom it is for, not what it is. */
const immaterial = { stream: undefined, stream_options: undefined, user: undefined, metadata: undefined } as const

/** A larger body with numbers of more than 53 bits is not worth reading a second time. */
const longestExactBody = 256 * 1024

/**
 * The key of a request: SHA-256, in hexadecimal, over all that can change its answer. Two requests share it only if
 * each may have the other's answer. Undefined for a large body whose numbers cannot be told apart.
 */
export function keyOf(asked: Asked, { model, below, config }: Surroundings): string | undefined {
  const payload = exactly(asked)
  if (!payload) return
  const { operation, url, principal, request } = asked
  const headers = meaningfulHeaders.map(name => request.headers.get(name))
  const around = [operation, trimSlashes(url.pathname), scopeOf(principal), model, headers, below, config]
  return Bun.SHA256.hash(JSON.stringify(around) + payload.text, 'hex')
}

/** Managed keys have answers of their own; all others may have each other's. */
const scopeOf = ({ kind, id }: Principal): string => (kind === 'key' ? `key:${id}` : 'all')

function exactly(asked: Asked): Canonical | undefined {
  const quick = canonical({ ...asked.payload, ...immaterial })
  if (!quick.rounded) return quick
  const bytes = asked.wire()
  if (bytes.length > longestExactBody) return
  return canonical({ ...(parseExactly(bytes) as object), ...immaterial })
}
