import type { Usage } from '../openai.ts'

/** What the normaliser has to know of the request. */
export interface NormaliseOptions {
  readonly operation: 'chat.completions' | 'completions'
  /** The name the client asked for; every answer carries it. */
  readonly model: string
  /** Whether the client asked for `stream_options.include_usage`. */
  readonly includeUsage: boolean
  /** The counts are added to it: each report at once, none twice. */
  readonly usage: Usage
  /** Makes what follows `chatcmpl-`, `cmpl-` and `call_` in ids that the backend did not give. */
  readonly newId: () => string
  /** The clock for a missing `created`. */
  readonly now?: () => number
}
