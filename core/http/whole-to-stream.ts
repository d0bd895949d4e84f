import { isObject, type JsonObject } from './json-object.ts'

/** A whole, normalised answer as the events of a stream: some backends ignore `stream`, and the client waits for events. */
export function toEvents(answer: JsonObject, { chat, includeUsage }: { readonly chat: boolean; readonly includeUsage: boolean }): string {
  const { choices, usage, ...head } = answer
  const chunk = (parts: JsonObject) =>
    `data: ${JSON.stringify({ ...head, object: chat ? 'chat.completion.chunk' : 'text_completion', ...parts })}\n\n`
  const contents = (Array.isArray(choices) ? choices : []).filter(isObject)
  return [
    ...contents.map(choice => chunk({ choices: [chat ? withDelta(choice) : { ...choice, finish_reason: null }] })),
    ...contents.map(choice => chunk({ choices: [ending(choice, chat)] })),
    ...(includeUsage && usage ? [chunk({ choices: [], usage })] : []),
    'data: [DONE]\n\n',
  ].join('')
}

function withDelta({ message, ...choice }: JsonObject): JsonObject {
  const delta = isObject(message) ? { ...message } : {}
  if (Array.isArray(delta.tool_calls))
    delta.tool_calls = delta.tool_calls.map((call, index) => (isObject(call) ? numbered(call, index) : call))
  return { ...choice, delta, finish_reason: null }
}

/** Some servers number the calls of a whole answer too, and give each a 0. */
const numbered = ({ index: _, ...call }: JsonObject, index: number): JsonObject => ({ index, ...call })

function ending({ index, logprobs, finish_reason }: JsonObject, chat: boolean): JsonObject {
  return { index, ...(chat ? { delta: {} } : { text: '' }), ...(logprobs !== undefined && { logprobs: null }), finish_reason }
}
