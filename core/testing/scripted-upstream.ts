/** One request as the upstream got it. */
export interface ScriptedRequest {
  readonly path: string
  readonly json: Record<string, unknown>
}

/** A backend that answers as a test says. */
export interface ScriptedUpstream extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly ScriptedRequest[]
}

/** Starts one; `answer` may take its time. */
export async function scriptedUpstream(
  answer: (request: ScriptedRequest, count: number) => Response | Promise<Response>,
): Promise<ScriptedUpstream> {
  const requests: ScriptedRequest[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const text = await request.text()
      const { pathname: path } = new URL(request.url)
      if (request.method === 'GET') return Response.json({ object: 'list', data: [] })
      const json = text.startsWith('{') ? JSON.parse(text) : {}
      requests.push({ path, json })
      return answer({ path, json }, requests.length)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      await server.stop(true)
    },
  }
}

/** A stream of these events; a number between them waits so many milliseconds. Objects are sent as `data:`, texts as they are. */
export function eventsResponse(...events: readonly (object | string | number | Promise<unknown>)[]): Response {
  const encoder = new TextEncoder()
  const body = async function* () {
    for (const event of events) {
      if (event instanceof Promise) await event
      else if (typeof event === 'number') await Bun.sleep(event)
      else yield encoder.encode(typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`)
    }
  }
  return new Response(body() as never, { headers: { 'content-type': 'text/event-stream' } })
}

/** A chunk of a chat. */
export const chatChunk = (delta: object, finish: string | null = null, usage?: object) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...(usage && { usage }),
})

export const done = 'data: [DONE]\n\n'
