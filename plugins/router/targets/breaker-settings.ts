/** When a target that fails is left alone for a while. Times in milliseconds. */
export interface BreakerSettings {
  /** Otherwise it never opens; a target that asks for patience still gets it. */
  readonly enabled: boolean
  /** So many failures in a row. */
  readonly failures: number
  /** Or this part of the requests of the last `windowMs`, when there were `minRequests` of them. */
  readonly failureRate: number
  readonly minRequests: number
  readonly windowMs: number
  /** The first pause; each further one is twice as long, up to the longest. */
  readonly cooldownMs: number
  readonly maxCooldownMs: number
}
