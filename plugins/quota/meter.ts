import { type Context, type Gateway, type MaybePromise, type Usage, usagePlace } from 'gatehouse'
import { makesText } from './lengths.ts'
import { textOf } from './text.ts'

/** How long an estimate may take, once the request is over. */
const estimateMs = 2000

const nothing: Readonly<Usage> = { promptTokens: 0, completionTokens: 0 }

/**
 * A request may run more than once (when answers are shared, or put together), and its usage is the sum of all. What of it was
 * taken stands beside it; a WeakMap of all requests costs the garbage collector more than the rest of this file.
 */
const taken = Symbol('taken')

type Metered = Usage & { [taken]?: Readonly<Usage> }

/** What a client got of an answer, by which it is charged when nobody reports its tokens. */
export interface Got {
  /** Of a stream. */
  readonly tokens: number
  /** The body of a whole answer. */
  readonly body?: Uint8Array | undefined
}

/** Finds out what requests used, and counts it for the reports. */
export function createMeter({ tokens, usage, log }: Pick<Gateway, 'tokens' | 'usage' | 'log'>) {
  const estimate = async ({ payload, operation, model }: Pick<Context, 'payload' | 'operation' | 'model'>): Promise<number> => {
    const { tokens: count } = await tokens.count(payload, operation, model ?? { targets: [] }, AbortSignal.timeout(estimateMs))
    return count
  }
  const promptOf = (ctx: Context): Promise<number> =>
    estimate(ctx).catch(err => {
      log.warn({ err }, 'a prompt could not be counted; it is charged at its upper bound')
      return tokens.bound(ctx.payload, ctx.operation, ctx.model)
    })
  const answerOf = ({ operation, payload, model }: Context, body: Uint8Array): number | Promise<number> => {
    const prompt = makesText(operation) ? textOf(body) : ''
    if (prompt === '') return 0
    return estimate({ payload: { model: payload.model, prompt }, operation: 'completions', model }).catch(() =>
      Math.ceil(prompt.length / 4),
    )
  }

  const estimated = async (ctx: Context, { promptTokens, completionTokens }: Readonly<Usage>, got: Got): Promise<Readonly<Usage>> => ({
    promptTokens: promptTokens > 0 ? promptTokens : await promptOf(ctx),
    completionTokens: completionTokens > 0 || !got.body ? Math.max(completionTokens, got.tokens) : await answerOf(ctx, got.body),
  })

  return {
    /** What was reported and not yet taken by anybody. */
    take({ usage }: Pick<Context, 'usage'>): Readonly<Usage> {
      const before = (usage as Metered)[taken] ?? nothing
      const { promptTokens, completionTokens } = usage
      ;(usage as Metered)[taken] = { promptTokens, completionTokens }
      return { promptTokens: promptTokens - before.promptTokens, completionTokens: completionTokens - before.completionTokens }
    },
    /**
     * What the backend reported. When it did not come to that, because the client left or the backend says nothing of it,
     * the prompt and what was sent.
     */
    spent(ctx: Context, reported: Readonly<Usage>, got: Got, outcome: 'complete' | 'aborted'): MaybePromise<Readonly<Usage>> {
      return outcome === 'complete' && reported.promptTokens > 0 ? reported : estimated(ctx, reported, got)
    },
    /** Adds to the report of the day. */
    count(ctx: Context, { promptTokens, completionTokens }: Readonly<Usage>): void {
      if (promptTokens + completionTokens > 0) usage.count(usagePlace(ctx), { promptTokens, completionTokens })
    },
  }
}
