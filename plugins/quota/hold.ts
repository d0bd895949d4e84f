import type { Context, Gateway } from 'gatehouse'
import type { Cost } from './cost.ts'
import { holdingField, isLength, isObeyed, makesText, readWishes } from './lengths.ts'

/**
 * Tells the backend that no answer may be longer than what is set aside for it. Gives that length when the request is not
 * as the client sent it any more.
 */
export function createHold({ backends }: Pick<Gateway, 'backends'>) {
  return (ctx: Context, { answer, said }: Cost): number | undefined => {
    const { operation, payload, model } = ctx
    if (!makesText(operation)) return
    const { lengths } = readWishes(payload)
    const change: Record<string, number> = {}
    for (const { field, value } of lengths) if (!isLength(value, operation) || value > answer) change[field] = answer
    // one that is there and meant nothing means something now; two might be refused
    if (!said && !lengths.some(({ field }) => isObeyed(field, operation))) {
      const targets = model?.targets ?? []
      const types = targets.map(({ backend }) => backends.get(backend)?.type)
      const field = holdingField(operation, types, field => targets.some(({ strip }) => strip.includes(field)))
      if (field !== undefined) change[field] = answer
    }
    for (const _ in change) {
      ctx.rewrite(change)
      return answer
    }
    return
  }
}
