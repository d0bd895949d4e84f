import { type Context, type MaybePromise, meaningfulHeaders, type ResolvedModel, trimSlashes } from 'gatehouse'
import { type Canonical, canonical } from './canonical.ts'
import { parseExactly } from './exact-number.ts'

/** Everything that can change an answer and does not stand in the payload. */
export interface Surroundings {
  readonly model: ResolvedModel
  /** Who may have each other's answers, see `scopeOf`. */
  readonly scope: string
  /** What the layers below add to this request. */
  readonly below: string
  /** The part of the config that decides how this model is answered. */
  readonly config: string
}

/** What a key needs of a request. */
export interface Asked extends Pick<Context, 'operation' | 'path' | 'payload' | 'request'> {
  /** The same payload as it is written; without it, numbers that JavaScript cannot hold have no key. */
  readonly wire?: Context['wire'] | undefined
}

/** Fields that say how an answer is sent or whom it is for, not what it is. */
const immaterial = { stream: undefined, stream_options: undefined, user: undefined, metadata: undefined } as const

/** A larger body with numbers of more than 53 bits is not worth reading a second time. */
const longestExactBody = 256 * 1024

/**
 * The key of a request: SHA-256, in hexadecimal, over all that can change its answer. Two requests share it only if
 * each may have the other's answer. Undefined for a large body whose numbers cannot be told apart.
 */
export function keyOf(asked: Asked, around: Surroundings, digest: Digest = sha256): MaybePromise<string | undefined> {
  const payload = exactly(asked)
  return payload && digest(textAround(asked, around) + payload.text)
}

/** SHA-256 of a text, in hexadecimal; of a large one in a thread, later. */
export type Digest = (text: string) => MaybePromise<string>

const sha256: Digest = text => Bun.SHA256.hash(text, 'hex')

/** All of it but the payload, as JSON. */
export function textAround({ operation, path, request }: Asked, { model, scope, below, config }: Surroundings): string {
  const headers = meaningfulHeaders.map(name => request.headers.get(name))
  return JSON.stringify([operation, trimSlashes(path), scope, model, headers, below, config])
}

function exactly(asked: Asked): Canonical | undefined {
  const quick = canonical({ ...asked.payload, ...immaterial })
  if (!quick.rounded) return quick
  const bytes = asked.wire?.()
  if (!bytes || bytes.length > longestExactBody) return
  return canonical({ ...(parseExactly(bytes) as object), ...immaterial })
}
