import { type Gateway, GatewayError, type Route, utcDate } from 'gatehouse'

const dayMs = 86_400_000

/** `GET /v1/usage`: what the key that asks has used, what is left, and when it starts again. */
export const usageRoute = ({ ledger, records, usage }: Pick<Gateway, 'ledger' | 'records' | 'usage'>): Route => ({
  method: 'GET',
  path: '/v1/usage',
  access: 'key',
  limited: true,
  body: 'none',
  async handle({ principal: { key } }) {
    if (!key) {
      throw new GatewayError(
        404,
        'invalid_request_error',
        'no_managed_key',
        'Only managed keys have a usage of their own; GET /admin/usage tells of all.',
      )
    }
    await usage.flush()
    const { limit, used, reserved, remaining, resetAt } = await ledger.balance({ keyId: key.id, period: key.quotaPeriod, limit: key.quota })
    const now = Date.now()
    const days = await records.usage.query({ from: utcDate(now - 30 * dayMs), to: utcDate(now), by: ['day', 'model'], keyId: key.id })
    return Response.json({
      object: 'usage',
      name: key.name,
      quota: limit,
      quota_period: key.quotaPeriod,
      used,
      reserved,
      remaining,
      reset_at: resetAt === null ? null : new Date(resetAt).toISOString(),
      rate_limit: key.rateLimit,
      tokens_per_minute: key.tokensPerMinute,
      max_concurrency: key.maxConcurrency,
      data: days.map(({ day, model, requests, cached, errors, promptTokens, completionTokens }) => ({
        day,
        model,
        requests,
        cached,
        errors,
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
      })),
    })
  },
})
