/** What the fake upstream says; it survives a proxy that writes the JSON anew. */
export const answerText = 'The sea is older than every name we gave it, and it will outlast them all. '.repeat(2).trim()

/** The whole answer of the fake upstream: about 400 bytes, and nothing in it that a gateway has to repair. */
export const answerBody = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_750_000_000,
    model: 'bench',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answerText },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 14, completion_tokens: 32, total_tokens: 46 },
  }),
)
