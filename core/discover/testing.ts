import { createServer } from 'node:http'
import { type FakeServer, startFake } from '../testing/fake-server.ts'
import { listenOnFreePort } from '../testing/server/free-port.ts'

type Answers = Readonly<Record<string, unknown>>

/** A server that answers these paths with JSON, and all others as `otherwise` says. */
export const jsonServer = (answers: Answers, otherwise: readonly [number, unknown] = [404, { detail: 'Not Found' }]): Promise<FakeServer> =>
  startFake({}, async exchange => {
    const answer = answers[exchange.request.path]
    if (answer === undefined) exchange.reply(...otherwise)
    else exchange.reply(200, answer)
  })

/** OpenAI's list of models. */
export const modelList = (owner: string | undefined, ...ids: readonly string[]) => ({
  object: 'list',
  data: ids.map(id => ({ id, object: 'model', ...(owner && { owned_by: owner }) })),
})

/** LM Studio answers 200 to whatever it does not know. */
export const fakeLmStudio = (models = modelList('organization_owner', 'qwen/qwen3-8b', 'text-embedding-nomic-embed-text-v1.5')) =>
  startFake({}, async exchange => {
    const { method, path } = exchange.request
    if (path === '/v1/models') exchange.reply(200, models)
    else if (path === '/lmstudio-greeting') exchange.reply(200, { lmstudio: true })
    else exchange.reply(200, { error: `Unexpected endpoint or method. (${method} ${path})` })
  })

/** A port of 127.0.0.1 on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnFreePort(server)
  await new Promise(resolve => server.close(resolve))
  return port
}
