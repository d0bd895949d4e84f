/** One request at a target. The first of these that is called counts, but for `failed` after `answered`. */
export interface Pass {
  /** It has begun to answer, or has refused a request that was wrong. */
  answered(): void
  /** It gave no answer, or broke off. */
  failed(): void
  /** It asked for patience (429), for so long if it said so. */
  limited(retryAfterMs?: number): void
  /** The request has ended without telling anything of the target. */
  left(): void
}
