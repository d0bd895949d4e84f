/** What a llama-server says of itself in `/props`. */
export interface LlamaServerProps {
  readonly slots?: number
  /** Tokens that one request may have. */
  readonly contextSize?: number
}

/** Reads the answer of `/props`; what is not there, or no number, is left out. */
export function readProps(answer: unknown): LlamaServerProps {
  const { total_slots: slots, default_generation_settings: settings } = fieldsOf(answer)
  const contextSize = fieldsOf(settings).n_ctx
  return { ...(isCount(slots) && { slots }), ...(isCount(contextSize) && { contextSize }) }
}

/**
 * What is wrong when a llama-server does not have what its config promises, as a sentence for the log, to be read behind the
 * model's name; undefined when nothing is, or when it does not say.
 */
export function shortcoming(props: LlamaServerProps, wanted: Required<LlamaServerProps>): string | undefined {
  const { slots = wanted.slots, contextSize = wanted.contextSize } = props
  if (contextSize < wanted.contextSize) {
    return `its llama-server has ${contextSize} tokens of context for a request, not the ${wanted.contextSize} of context_size`
  }
  return slots < wanted.slots ? `its llama-server takes ${slots} requests at once, not the ${wanted.slots} of slots` : undefined
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0
