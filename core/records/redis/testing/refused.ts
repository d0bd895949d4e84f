import { expect } from 'bun:test'
import { GatewayError } from '../../../errors.ts'

/** The work is refused, because Redis cannot be asked; answers how long that took. */
export async function refused(work: () => unknown): Promise<number> {
  const from = performance.now()
  const thrown = await Promise.resolve()
    .then(work)
    .then(
      result => `not refused: ${JSON.stringify(result)}`,
      (error: unknown) => error,
    )
  expect(thrown).toBeInstanceOf(GatewayError)
  expect(thrown).toMatchObject({ status: 503, code: 'store_unavailable', extra: { headers: { 'retry-after': '1' } } })
  return performance.now() - from
}
