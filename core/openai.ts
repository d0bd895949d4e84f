/** What a request asks for: one of the model operations, or the path of a route a plugin added. */
export type Operation =
  | 'chat.completions'
  | 'completions'
  | 'embeddings'
  | 'messages'
  | 'messages.count_tokens'
  | 'responses'
  | 'rerank'
  | 'audio'
  | 'images'
  | 'infill'
  | (string & {})

/** A model operation and where clients reach it. `path` may end in `/*` (the rest goes upstream as it is). */
export interface OperationRoute {
  readonly operation: Operation
  readonly path: string
  /** Forwarded to backends that speak it, never translated. */
  readonly passedThrough: boolean
}

/** The model API. `backends/openai.ts` reads the same table in the other direction. */
export const operations: readonly OperationRoute[] = [
  { operation: 'chat.completions', path: '/v1/chat/completions', passedThrough: false },
  { operation: 'completions', path: '/v1/completions', passedThrough: false },
  { operation: 'embeddings', path: '/v1/embeddings', passedThrough: false },
  { operation: 'messages', path: '/v1/messages', passedThrough: true },
  { operation: 'messages.count_tokens', path: '/v1/messages/count_tokens', passedThrough: true },
  { operation: 'responses', path: '/v1/responses', passedThrough: true },
  { operation: 'rerank', path: '/v1/rerank', passedThrough: true },
  { operation: 'audio', path: '/v1/audio/*', passedThrough: true },
  { operation: 'images', path: '/v1/images/*', passedThrough: true },
  { operation: 'infill', path: '/infill', passedThrough: true },
]

/** The fields the gateway itself reads. Everything else passes through unseen. */
export interface Payload {
  /** Empty for requests without a body. */
  readonly model: string
  readonly stream?: boolean | null
  readonly stream_options?: { readonly include_usage?: boolean } | null
  readonly messages?: readonly Message[]
  readonly tools?: readonly unknown[]
  readonly [field: string]: unknown
}

export interface Message {
  readonly role: string
  readonly content?: unknown
  readonly name?: string
  readonly tool_calls?: readonly ToolCall[]
  readonly tool_call_id?: string
  readonly [field: string]: unknown
}

export interface ToolCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

/** Tokens of one request. Only the router adds to it. */
export interface Usage {
  promptTokens: number
  completionTokens: number
}
