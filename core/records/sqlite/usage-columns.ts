import type { UsageCounts, UsageDimension } from '../usage.ts'

/** What is counted, as columns. */
export const countColumns: Readonly<Record<keyof UsageCounts, string>> = {
  requests: 'requests',
  cached: 'cached',
  errors: 'errors',
  promptTokens: 'prompt_tokens',
  completionTokens: 'completion_tokens',
  latencyMs: 'latency_ms',
  firstTokenMs: 'first_token_ms',
  firstTokens: 'first_tokens',
}

/** The same as names; the order that statements go by. */
export const countNames = Object.keys(countColumns) as readonly (keyof UsageCounts)[]

/** For whom, what and when it is counted, as columns or what is made of them. */
export const dimensionColumns: Readonly<Record<UsageDimension, string>> = {
  day: 'day',
  keyId: 'key_id',
  model: 'model',
  target: 'target',
  // what stands before the first slash; no backend has one in its name
  backend: "substr(target, 1, instr(target || '/', '/') - 1)",
  user: 'user',
}
