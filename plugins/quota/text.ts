const decoder = new TextDecoder()

/** Where the answers of all dialects keep what the model said. */
const places = ['choices', 'content', 'output']

/** All that a model said in a whole answer, names of fields and of kinds included: close enough to be counted. */
export function textOf(body: Uint8Array): string {
  const texts: string[] = []
  try {
    const answer: unknown = JSON.parse(decoder.decode(body))
    if (typeof answer === 'object' && answer !== null)
      for (const place of places) collect((answer as Record<string, unknown>)[place], texts)
  } catch {
    // not JSON, so nobody can tell
  }
  return texts.join('\n')
}

/** What says nothing that a model has made. */
const notSaid = new Set(['id', 'type', 'role', 'finish_reason', 'status', 'object', 'logprobs', 'index', 'call_id'])

function collect(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value)
  else if (Array.isArray(value)) for (const one of value) collect(one, texts)
  else if (typeof value === 'object' && value !== null)
    for (const field in value) if (!notSaid.has(field)) collect((value as never)[field], texts)
}
