import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenOnFreePort } from './server/free-port.ts'

/** A backend that repeats all it got, wherever it can: the worst one can meet. The name of the model says how. */
export interface MirrorUpstream {
  readonly url: string
  stop(): Promise<void>
}

/** The ways it fails a request to a model. */
export const mirrorModels = [
  ...[400, 401, 403, 404, 413, 422, 429, 500, 501, 502, 503, 504].map(status => `status-${status}`),
  'fine',
  'fine-stream',
  'text-400',
  'text-500',
  'detail',
  'not-json',
  'no-choices',
  'error-in-200',
  'first-event',
  'loose-event',
  'mid-stream',
  'garbage-mid-stream',
  'cut-at-2000',
  'redirect',
  'reset',
] as const

/** Starts it. Its lists of models and its health are errors that repeat what they got. */
export async function mirrorUpstream(): Promise<MirrorUpstream> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    reflect(request, response, Buffer.concat(chunks).toString())
  })
  const port = await listenOnFreePort(server)
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const chunk = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`

function reflect({ url, headers, rawHeaders, socket }: IncomingMessage, response: ServerResponse, body: string): void {
  const credentials = rawHeaders.filter((_, index) => index % 2 === 1).join(' ')
  const decoded = Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
  const said = `${credentials} ${encodeURIComponent(credentials)} ${decoded} at ${url} for ${body} ${JSON.stringify(headers)}`
  const error = { error: { message: said, type: said, code: said, param: said } }
  const model = /"model":\s*"([a-z0-9-]+)"/.exec(body)?.[1] ?? 'status-500'
  const value = said.replace(/[^\x20-\x7e]/g, '?').slice(0, 4000)
  const echoed = { 'x-echo': value, 'set-cookie': value, server: value, 'retry-after': value, 'openai-processing-ms': value }
  const answer = (status: number, content: string, type = 'application/json') => {
    response.writeHead(status, { 'content-type': type, ...echoed }).end(content)
  }
  const events = (...parts: readonly string[]) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...echoed })
    for (const part of parts) response.write(part)
    response.end()
  }
  const ways: Readonly<Record<string, () => unknown>> = {
    fine: () =>
      answer(200, JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }] })),
    'fine-stream': () => events(chunk('a'), 'data: [DONE]\n\n'),
    'text-400': () => answer(400, said, 'text/plain'),
    'text-500': () => answer(500, `<html>${said}</html>`, 'text/html'),
    detail: () => answer(422, JSON.stringify({ detail: [{ loc: ['body'], msg: said, input: said }] })),
    'not-json': () => answer(200, `{"choices": ${said}`),
    'no-choices': () => answer(200, JSON.stringify({ said })),
    'error-in-200': () => answer(200, JSON.stringify(error)),
    'first-event': () => events(`data: ${JSON.stringify(error)}\n\n`),
    'loose-event': () => events(`error: ${said}\n\n`),
    'mid-stream': () => events(chunk('a'), `data: ${JSON.stringify(error)}\n\n`),
    'garbage-mid-stream': () => events(chunk('a'), `data: ${said}\n\n`),
    // the keys lie across the place where long messages are cut
    'cut-at-2000': () => answer(400, JSON.stringify({ error: { message: `${'x'.repeat(1985)} ${headers['x-gate']}` } })),
    redirect: () => response.writeHead(307, { location: `http://127.0.0.1:1/${encodeURIComponent(said)}` }).end(said),
    reset: () => socket.destroy(),
  }
  const [, status = 500] = /^status-(\d+)$/.exec(model) ?? []
  const way = ways[model] ?? (() => answer(Number(status), JSON.stringify(error)))
  way()
}
