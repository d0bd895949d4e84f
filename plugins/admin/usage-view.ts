import type { MaybePromise, Records, UsageSum } from 'gatehouse'

/** A sum as the admin API shows it: what its requests have in common, what they come to, and what they took on average. */
export async function presentUsage(sum: UsageSum, keys: Pick<Records['keys'], 'get'>) {
  const { day, keyId, model, backend, target, user } = sum
  return {
    ...(day !== undefined && { day }),
    ...(keyId !== undefined && { key_id: keyId, key_name: (await nameOf(keyId, keys)) ?? null }),
    ...(model !== undefined && { model }),
    ...(backend !== undefined && { backend }),
    ...(target !== undefined && { target }),
    ...(user !== undefined && { user }),
    requests: sum.requests,
    cached: sum.cached,
    errors: sum.errors,
    prompt_tokens: sum.promptTokens,
    completion_tokens: sum.completionTokens,
    total_tokens: sum.promptTokens + sum.completionTokens,
    latency_ms_avg: average(sum.latencyMs, sum.requests),
    first_token_ms_avg: average(sum.firstTokenMs, sum.firstTokens),
  }
}

/** Callers without a managed key have none, and deleted keys no longer. */
const nameOf = async (id: number, keys: { get(id: number): MaybePromise<{ readonly name: string } | undefined> }) =>
  (await keys.get(id))?.name

const average = (sum: number, count: number): number | null => (count === 0 ? null : Math.round(sum / count))
