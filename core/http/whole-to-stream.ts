import { isObject, type JsonObject } from './json-object.ts'

/** A whole, normalised answer as the events of a stream: some backends ignore `stream`, and the client waits for events. */
export function toEvents(answer: JsonObject, { chat, includeUsage }: { readonly chat: boolean; readonly includeUsage: boolean }): string {
  const { choices, usage, object: _, ...head } = answer
  const chunk = (parts: JsonObject) =>
    `data: ${JSON.stringify({ ...head, object: chat ? 'chat.completion.chunk' : 'text_completion', ...parts })}\n\n`
  const contents = (Array.isArray(choices) ? choices : []).filter(isObject)
  return [
    ...contents.map(choice => chunk({ choices: [chat ? withDelta(choice) : { ...choice, finish_reason: null }] })),
    ...contents.map(({ index, finish_reason }) =>
      chunk({ choices: [{ index, ...(chat ? { delta: {} } : { text: '' }), logprobs: null, finish_reason }] }),
    ),
    ...(includeUsage && usage ? [chunk({ choices: [], usage })] : []),
    'data: [DONE]\n\n',
  ].join('')
}

function withDelta({ message, ...choice }: JsonObject): JsonObject {
  const delta = isObject(message) ? { ...message } : {}
  if (Array.isArray(delta.tool_calls))
    delta.tool_calls = delta.tool_calls.map((call, index) => (isObject(call) ? { index, ...call } : call))
  return { ...choice, delta, finish_reason: null }
}
