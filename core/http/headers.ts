/** True for `text/event-stream`, whatever its parameters. */
export const isEventStream = ({ headers }: { readonly headers: Headers }): boolean =>
  headers.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false

/** True for `application/json` and its relatives. */
export const isJson = ({ headers }: { readonly headers: Headers }): boolean => {
  const type = headers.get('content-type')?.toLowerCase() ?? ''
  return type.startsWith('application/json') || /^application\/[\w.-]+\+json/.test(type)
}

/**
 * What a client may see of a backend's own headers. An allow list: everything else (cookies, server names,
 * rate limits of the gateway's account, encodings that `fetch` has already undone) stays inside.
 */
const forwarded = ['content-type', 'content-disposition', 'openai-processing-ms', 'x-gatehouse-ignored']

/** Headers of the client that can change what a backend answers: it is sent them, and answers are told apart by them. */
export const meaningfulHeaders = ['anthropic-version', 'anthropic-beta', 'openai-beta'] as const

/** The backend's headers as the client gets them. */
export function forwardable(headers: Headers): Headers {
  const kept = new Headers()
  for (const name of forwarded) {
    const value = headers.get(name)
    if (value !== null && (name !== 'openai-processing-ms' || /^\d+(\.\d+)?$/.test(value))) kept.set(name, value)
  }
  return kept
}

/** Headers of every event stream: no cache may keep it, no proxy may hold it back. */
export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
  'x-accel-buffering': 'no',
} as const
