import type { Context } from './context.ts'
import { others, type UsagePlace, utcDate } from './records/usage.ts'

/** Where the reports count a request. */
export function usagePlace({ principal, payload, target }: Pick<Context, 'principal' | 'payload' | 'target'>): UsagePlace {
  const user = typeof payload.user === 'string' ? payload.user : ''
  // a prompt that somebody has put in the wrong place is not for the database
  const model = payload.model.length <= longestModel ? payload.model : others
  return { day: today(Date.now()), keyId: principal.key?.id ?? 0, model, target, user }
}

/** No model has a longer name. */
const longestModel = 200

let lastDay = Number.NaN
let lastDate = ''

/** Writing a date costs as much as all the rest. */
function today(now: number): string {
  const day = Math.floor(now / 86_400_000)
  if (day !== lastDay) lastDate = utcDate(now)
  lastDay = day
  return lastDate
}
