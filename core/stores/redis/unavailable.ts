import { GatewayError } from '../../errors.ts'

/** The 503 for what cannot be decided without Redis. */
export const unavailable = (cause?: unknown): GatewayError =>
  new GatewayError(
    503,
    'service_unavailable',
    'store_unavailable',
    'What the instances of this gateway share cannot be reached right now. Try again in a moment.',
    { headers: { 'retry-after': '1' }, cause },
  )
