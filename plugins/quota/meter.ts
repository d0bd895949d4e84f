import { type Context, type Gateway, type Usage, usagePlace } from 'gatehouse'
import type { Sent } from './at-end.ts'

/** How long an estimate may take, once the request is over. */
const estimateMs = 2000

/** Finds out what requests used, and counts it for the reports. */
export function createMeter({ tokens, usage, log }: Pick<Gateway, 'tokens' | 'usage' | 'log'>) {
  const promptOf = async ({ payload, operation, model }: Context): Promise<number> => {
    try {
      const { tokens: count } = await tokens.count(payload, operation, model ?? { targets: [] }, AbortSignal.timeout(estimateMs))
      return count
    } catch (err) {
      log.warn({ err }, 'a prompt could not be counted; it is charged at its upper bound')
      return tokens.bound(payload, operation, model)
    }
  }

  return {
    /**
     * What the backend reported. When it did not come to that, because the client left or the backend says nothing of it,
     * the prompt and what was sent.
     */
    async spent(ctx: Context, sent: Sent, outcome: 'complete' | 'aborted'): Promise<Readonly<Usage>> {
      const { promptTokens, completionTokens } = ctx.usage
      const reported = promptTokens + completionTokens > 0
      if (reported && outcome === 'complete') return { promptTokens, completionTokens }
      return {
        promptTokens: Math.max(promptTokens, await promptOf(ctx)),
        completionTokens: Math.max(completionTokens, sent.events),
      }
    },
    /** Adds to the report of the day. */
    count(ctx: Context, { promptTokens, completionTokens }: Readonly<Usage>): void {
      if (promptTokens + completionTokens > 0) usage.count(usagePlace(ctx), { promptTokens, completionTokens })
    },
  }
}
