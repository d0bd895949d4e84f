/**
 * The official OpenAI SDK for JavaScript against gatehouse: nothing but the base URL is different.
 *
 *     gatehouse demo &
 *     bun examples/clients/openai.ts
 */
import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL || 'http://localhost:11435/v1',
  // The SDK insists on a key; an open gateway takes any.
  apiKey: process.env.OPENAI_API_KEY || 'any key',
})
const model = process.env.MODEL || 'echo'

await list()
await chat()
await stream()
await tools()
await structured()
await embeddings()

async function list() {
  const names: string[] = []
  for await (const { id } of client.models.list()) names.push(id)
  console.log('models:', names.join(', '))
}

async function chat() {
  const { choices, usage } = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'Say hello to the gatehouse.' }],
  })
  console.log('chat:', choices[0]?.message.content, `(${usage?.total_tokens} tokens)`)
}

async function stream() {
  const chunks = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'Count from one to five.' }],
    stream: true,
  })
  process.stdout.write('stream: ')
  for await (const { choices } of chunks) process.stdout.write(choices[0]?.delta.content ?? '')
  process.stdout.write('\n')
}

/** The SDK calls the function for the model and hands the result back, until the model answers. */
async function tools() {
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const weather = async ({ city }: { city: string }) => `Sunny in ${city}, 21 °C`
  const runner = client.chat.completions.runTools({
    model,
    messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
    tools: [
      { type: 'function', function: { name: 'weather', description: 'The weather now', parameters, parse: JSON.parse, function: weather } },
    ],
  })
  console.log('tools:', await runner.finalContent())
}

async function structured() {
  const schema = {
    type: 'object',
    properties: { name: { type: 'string' }, born: { type: 'integer' } },
    required: ['name', 'born'],
    additionalProperties: false,
  }
  const { choices } = await client.chat.completions.parse({
    model,
    messages: [
      { role: 'system', content: 'Answer with the person as JSON.' },
      { role: 'user', content: '{"name": "Ada Lovelace", "born": 1815}' },
    ],
    response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } },
  })
  console.log('structured:', JSON.stringify(choices[0]?.message.parsed))
}

async function embeddings() {
  const { data } = await client.embeddings.create({ model, input: ['a gate', 'a house'] })
  console.log('embeddings:', data.map(({ embedding }) => `${embedding.length} numbers`).join(', '))
}
