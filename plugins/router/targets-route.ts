import type { Route } from 'gatehouse'
import type { TargetRow } from './targets/targets.ts'
import type { Traffic } from './traffic.ts'

type Tells = Pick<Traffic, 'admission' | 'targets'>

/** `GET /admin/targets`: every place that was used, how it did, and who waits for it. */
export const targetsRoute = ({ admission, targets }: Tells): Route => ({
  method: 'GET',
  path: '/admin/targets',
  access: 'admin',
  limited: true,
  body: 'none',
  handle() {
    const queues = new Map(admission.list().map(({ model, ...queue }) => [model, queue]))
    const data = targets.list().map(row => {
      const { slots, queued = 0 } = queues.get(row.id) ?? {}
      return {
        target: row.id,
        in_flight: row.inFlight,
        queued,
        slots: slots !== undefined && Number.isFinite(slots) ? slots : null,
        requests: row.requests,
        failures: row.failures,
        first_token_ms: row.firstTokenMs === undefined ? null : Math.round(row.firstTokenMs),
        breaker: breakerOf(row),
      }
    })
    return Response.json({ data })
  },
})

/** The places that are left alone, for `/health`; undefined when there are none. */
export function restingTargets({ targets }: Tells) {
  const resting = targets.list().filter(({ breaker }) => breaker.state !== 'closed' || breaker.limitedForMs > 0)
  return resting.length === 0 ? undefined : Object.fromEntries(resting.map(row => [row.id, breakerOf(row)]))
}

/** `open` and `half-open` because it fails; `limited` because it asked for patience. */
function breakerOf({ breaker: { state, failuresInARow, openings, openForMs, limitedForMs } }: TargetRow) {
  const shown = state === 'closed' && limitedForMs > 0 ? 'limited' : state
  return { state: shown, failures_in_a_row: failuresInARow, openings, for_ms: Math.round(Math.max(openForMs, limitedForMs)) }
}
