import type { UsageCounts, UsageRow } from '../usage.ts'

/** Nothing at all. */
export const noCounts: UsageCounts = {
  requests: 0,
  cached: 0,
  errors: 0,
  promptTokens: 0,
  completionTokens: 0,
  latencyMs: 0,
  firstTokenMs: 0,
  firstTokens: 0,
}

/** The usage of one request. */
export const usageRow = (change: Partial<UsageRow> = {}): UsageRow => ({
  ...noCounts,
  day: '2026-01-31',
  keyId: 1,
  model: 'm',
  target: 'box',
  user: '',
  requests: 1,
  ...change,
})
