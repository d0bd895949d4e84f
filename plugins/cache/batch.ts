import { type Context, GatewayError, type MaybePromise } from 'gatehouse'
import { isWhole, mayKeep } from './answer.ts'
import type { Answers } from './answers.ts'
import type { Asking } from './ask.ts'
import { breather } from './embeddings/breather.ts'
import { join, split, withInput } from './embeddings/embeddings.ts'
import type { Generate } from './flight/share.ts'
import type { KeptAnswer } from './kept.ts'

/** The key of this request with another payload; undefined when there is none. */
export type KeyFor = (payload: Context['payload']) => MaybePromise<string | undefined>

export interface BatchOptions {
  readonly answers: Answers
  /** Answers from what is kept. */
  readonly hit: (found: KeptAnswer) => Response | undefined
  /** Has the rest made, once for all who ask the same. */
  readonly generate: (how: Generate) => MaybePromise<Response>
  /** Answers it as any other request, when its inputs have no keys of their own. */
  readonly asWhole: () => MaybePromise<Response>
}

/** A batch of embeddings: each input is kept by itself, and only those that are missing are asked for. */
export async function openBatch(
  { ctx, next, model, policy }: Asking,
  inputs: readonly unknown[],
  keyFor: KeyFor,
  { answers, hit, generate, asWhole }: BatchOptions,
): Promise<Response> {
  const keys: string[] = []
  /** Each input once, in the order of their first places. */
  const distinct = new Map<string, { readonly index: number; readonly input: unknown }>()
  const breathe = breather()
  for (const input of inputs) {
    const pause = breathe()
    if (pause) await pause
    const hashed = keyFor(withInput(ctx.payload, input))
    const key = hashed instanceof Promise ? await hashed : hashed
    if (key === undefined) return asWhole()
    keys.push(key)
    if (!distinct.has(key)) distinct.set(key, { index: distinct.size, input })
  }
  const order = keys.map(key => distinct.get(key)?.index as number)
  const found = await Promise.all(
    [...distinct.keys()].map(key => (policy.read ? answers.get(key, model.name, policy.maxAgeMs) : undefined)),
  )
  const response = found.every(piece => piece !== undefined) ? await fromKept(found, order, hit) : undefined
  if (response) return response

  return generate(async apart => {
    const wire = ctx.wire()
    const { clearings } = answers
    const startedAt = performance.now()
    const missing = [...distinct].flatMap(([key, { index, input }]) => (found[index] ? [] : [{ key, index, input }]))
    const wanted = missing.map(({ input }) => input)
    const all = missing.length === inputs.length
    if (!all) apart.rewrite({ input: wanted })
    ctx.note({ plugin: 'cache', did: 'embeddings', why: `${inputs.length - missing.length} of ${inputs.length} inputs were kept` })
    const response = await next(apart)
    if (response.status !== 200) return response
    if (!all && apart.keptOut !== undefined) {
      // a fallback may be another model, and its vectors are nothing to put beside those that were kept
      response.body?.cancel().catch(() => {})
      apart.rewrite({ input: inputs })
      return next(apart)
    }
    const body = (await response.bytes()) as Uint8Array<ArrayBuffer>
    const made = await split(body, wanted)
    if (!made) {
      if (all) return new Response(body, { status: response.status, headers: response.headers })
      throw incomplete()
    }
    const pieces = found.map(piece => piece?.body)
    for (const [place, { index }] of missing.entries()) pieces[index] = made[place] as Uint8Array<ArrayBuffer>
    if (answers.clearings === clearings && mayKeep(apart, response) && isWhole({ wire, body, operation: 'embeddings', events: false })) {
      const share = 1 / missing.length
      const { promptTokens } = apart.usage
      const head = {
        form: 'json',
        contentType: response.headers.get('content-type') ?? 'application/json',
        model: model.name,
        tokens: Math.round(promptTokens * share),
        tookMs: (performance.now() - startedAt) * share,
      } as const
      for (const [place, { key }] of missing.entries()) answers.set(key, { head, body: made[place] as Uint8Array<ArrayBuffer> })
    }
    const joined = await join(pieces as Uint8Array[], order)
    if (!joined) throw incomplete()
    return new Response(joined, { status: response.status, headers: response.headers })
  })
}

const incomplete = () =>
  new GatewayError(502, 'server_error', 'bad_gateway', 'The model backend did not send one embedding for each input.')

/** The answer to a batch of which everything is kept; as old as its oldest part. */
async function fromKept(pieces: readonly KeptAnswer[], order: readonly number[], hit: BatchOptions['hit']): Promise<Response | undefined> {
  const sum = (of: (piece: KeptAnswer) => number) => pieces.reduce((total, piece) => total + of(piece), 0)
  const body = await join(
    pieces.map(piece => piece.body),
    order,
  )
  const [first] = pieces
  if (!body || !first) return
  const head = { ...first.head, tokens: sum(piece => piece.head.tokens), tookMs: sum(piece => piece.head.tookMs) }
  return hit({ head, body, ageMs: Math.max(...pieces.map(({ ageMs }) => ageMs)) })
}
