/** What is known of an answer besides its bytes. */
export interface Head {
  /** `json`: a whole body. `events`: a recorded stream, always with its usage. */
  readonly form: 'json' | 'events'
  readonly contentType: string
  /** The fields of the request that the backend left out (`X-Gatehouse-Ignored`); empty when there were none. */
  readonly ignored?: string | undefined
  /** The name that was asked for, or the configured one behind it, so that the answers of one model can be dropped. */
  readonly model: string
  /** Prompt and completion tokens; what a hit saves. */
  readonly tokens: number
  /** Milliseconds it took to make. */
  readonly tookMs: number
}

/** An answer as it was sent. */
export interface Answer {
  readonly head: Head
  readonly body: Uint8Array<ArrayBuffer>
}

/** An answer that was kept, and for how long. */
export interface KeptAnswer extends Answer {
  readonly ageMs: number
}
