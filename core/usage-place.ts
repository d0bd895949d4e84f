import type { Context } from './context.ts'
import { type UsagePlace, utcDate } from './records/usage.ts'

/** Where the reports count a request. */
export function usagePlace({ principal, payload, target }: Pick<Context, 'principal' | 'payload' | 'target'>): UsagePlace {
  const user = typeof payload.user === 'string' ? payload.user : ''
  return { day: utcDate(Date.now()), keyId: principal.key?.id ?? 0, model: payload.model, target, user }
}
