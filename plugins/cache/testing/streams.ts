import OpenAI from 'openai'

/** The blocks of a stream, each with its blank line. */
export const blocksOf = (text: string): string[] => text.match(/[\s\S]*?(?:\r\n\r\n|\n\n)|[\s\S]+$/g) ?? []

/** The error in a body, or in the last block of a stream. */
export const errorOf = (block: string): { readonly [field: string]: unknown } => JSON.parse(block.replace('data: ', '')).error

/** The block that reports the usage, when there is one. */
export const usageBlockOf = (text: string): string | undefined =>
  blocksOf(text).find(block => {
    const json = block.startsWith('data: {') && JSON.parse(block.slice('data: '.length))
    return json && json.choices.length === 0 && json.usage
  })

/** The stream as a client gets it that did not ask for the usage. */
export const withoutUsage = (text: string): string => text.replace(usageBlockOf(text) ?? '', '')

/** What OpenAI's own client makes of a stream: a judge that shares no code with us. */
export async function assemble(text: string): Promise<object> {
  const client = new OpenAI({
    apiKey: 'test-key',
    baseURL: 'http://127.0.0.1/v1',
    fetch: async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } }),
  })
  return await client.chat.completions.stream({ model: 'm', messages: [], stream: true }).finalChatCompletion()
}

/**
 * The same answer another time differs in its names, its second and the fake's counter: they are made the same. And a stream
 * does not say what is not there, which a whole answer may: null, empty lists and an empty content are left out.
 */
export const alike = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answer, (name, value) => {
      if (name === 'id') return 'ID'
      if (name === 'created') return 0
      if (name === 'content' && value === '') return
      if (value === null || (Array.isArray(value) && value.length === 0)) return
      return typeof value === 'string' ? value.replace(/n=\d+/, 'n=N') : value
    }),
  )
