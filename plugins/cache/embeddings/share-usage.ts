/** What an answer says of its tokens, whatever its fields are called. */
export type UsageReport = Readonly<Record<string, unknown>>

/** A report for each weight. Whole numbers are shared out so that they add up to the same again. */
export function shareUsage(report: UsageReport, weights: readonly number[]): UsageReport[] {
  const fields = Object.entries(report).map(([name, value]) => [name, shareValue(value, weights)] as const)
  return weights.map((_, place) => Object.fromEntries(fields.map(([name, shares]) => [name, shares[place]])))
}

function shareValue(value: unknown, weights: readonly number[]): unknown[] {
  if (typeof value === 'number') return shareNumber(value, weights)
  return isReport(value) ? shareUsage(value, weights) : weights.map(() => value)
}

/** By largest remainders. What is no count of tokens, say a price, is divided as it is. */
export function shareNumber(number: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (!Number.isInteger(number) || number < 0 || number * sum > Number.MAX_SAFE_INTEGER)
    return weights.map(weight => (number * weight) / sum)
  const remainders = weights.map(weight => (number * weight) % sum)
  const shares = weights.map((weight, place) => (number * weight - (remainders[place] as number)) / sum)
  const missing = number - shares.reduce((total, share) => total + share, 0)
  const byRemainder = [...weights.keys()].sort((one, other) => (remainders[other] as number) - (remainders[one] as number))
  for (const place of byRemainder.slice(0, missing)) (shares[place] as number)++
  return shares
}

/** The sum of reports; of what cannot be added the first that says something. */
export function addUsage(reports: readonly UsageReport[]): UsageReport {
  const sum: Record<string, unknown> = {}
  for (const report of reports) {
    for (const [name, value] of Object.entries(report)) sum[name] = addValues(sum[name], value)
  }
  return sum
}

function addValues(before: unknown, value: unknown): unknown {
  if (typeof before === 'number' && typeof value === 'number') return before + value
  if (isReport(before) && isReport(value)) return addUsage([before, value])
  return before ?? value
}

const isReport = (value: unknown): value is UsageReport => typeof value === 'object' && value !== null && !Array.isArray(value)
