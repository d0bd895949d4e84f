import { chatChunk, done, eventsResponse, type ScriptedRequest, scriptedUpstream } from '../../../core/testing/scripted-upstream.ts'

interface Said {
  readonly messages: readonly { readonly role: string; readonly content: unknown; readonly tool_calls?: readonly object[] }[]
}

/** A model that makes these calls first, one after the other or at once, and then says what it was told. */
export const calling = (...rounds: readonly (readonly (readonly [name: string, args: unknown])[])[]) =>
  scriptedUpstream(({ json }: ScriptedRequest) => {
    const { messages } = json as unknown as Said
    const past = messages.filter(({ tool_calls: calls }) => calls).length
    const calls = (rounds[past] ?? []).map(([name, args], index) => ({
      index,
      id: `call_${past}_${index}`,
      type: 'function',
      function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
    }))
    const content =
      calls.length > 0
        ? ''
        : messages
            .filter(({ role }) => role === 'tool')
            .map(({ content }) => content)
            .join(' | ')
    const finish = calls.length > 0 ? 'tool_calls' : 'stop'
    const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 }
    if (json.stream === true) {
      const deltas = calls.length > 0 ? calls.map(call => chatChunk({ tool_calls: [call] })) : [chatChunk({ content })]
      return eventsResponse(...deltas, chatChunk({}, finish), { ...chatChunk({}), choices: [], usage }, done)
    }
    const message = { role: 'assistant', content: content || null, ...(calls.length > 0 && { tool_calls: calls }) }
    return Response.json({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    })
  })
