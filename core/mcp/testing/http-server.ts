import { createFake } from './behaviour.ts'

/** How a fake MCP server over HTTP behaves; everything may be changed while it runs. */
export interface HttpManners {
  /** How it answers requests: with an event stream, or plain JSON. */
  answer: 'events' | 'json'
  /** Every POST is answered with this status. */
  status: number | undefined
  /** Ends the stream after an event with an id, and gives the answer to whoever comes back for it. */
  breaksOff: boolean
  /** Ends the stream before the answer, with nothing to come back for. */
  deadEnd: boolean
  /** Answers the standing GET with 405. */
  noStream: boolean
}

export interface FakeHttp extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly manners: HttpManners
  readonly requests: { readonly method: string; readonly body: string; readonly headers: Headers; readonly path: string }[]
  /** Those that are being answered at this moment, and the most there ever were. */
  readonly open: { now: number; most: number }
  /** Forgets all sessions, as a server does that was started again. */
  forget(): void
  /** Tells all who listen to a stream of their own. */
  notify(method: string): void
  stop(): Promise<void>
}

const encoder = new TextEncoder()
const event = (message: object, id?: string) =>
  encoder.encode(`${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${JSON.stringify(message)}\n\n`)

/** A fake MCP server: Streamable HTTP at `/mcp`, the older HTTP with SSE at `/sse`. */
export async function fakeHttp({ port = 0, ...given }: Partial<HttpManners> & { readonly port?: number } = {}): Promise<FakeHttp> {
  const manners: HttpManners = { answer: 'events', status: undefined, breaksOff: false, deadEnd: false, noStream: false, ...given }
  const requests: { method: string; body: string; headers: Headers; path: string }[] = []
  const open = { now: 0, most: 0 }
  let sessions = new Set<string>()
  const streams = new Map<string, ReadableStreamDefaultController<Uint8Array>>()
  const missed = new Map<string, object>()
  let events = 0

  const onStream = (id: string, first?: Uint8Array) =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          streams.set(id, controller)
          if (first) controller.enqueue(first)
        },
        cancel: () => void streams.delete(id),
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    )

  /** Handles one message, with an answer of its own. */
  const post = (message: { id?: number; method?: string }, session: string): Response => {
    if (message.id === undefined) {
      createFake({ send() {}, tricks: {} }).handle(message)
      return new Response(null, { status: 202 })
    }
    const headers = { 'mcp-session-id': session, 'content-type': 'text/event-stream' }
    open.now++
    open.most = Math.max(open.most, open.now)
    let isOver = false
    const over = () => {
      if (!isOver) open.now--
      isOver = true
    }
    const isCall = message.method === 'tools/call'
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const send = (reply: object) => {
          if (isOver) return
          controller.enqueue(event(reply))
          if (!('id' in reply)) return
          over()
          controller.close()
        }
        if (isCall && manners.breaksOff) {
          const id = `e${++events}`
          createFake({ send: reply => missed.set(id, reply), tricks: {} }).handle(message)
          controller.enqueue(encoder.encode(`id: ${id}\nretry: 50\ndata:\n\n`))
          over()
          return controller.close()
        }
        if (isCall && manners.deadEnd) {
          over()
          return controller.close()
        }
        createFake({ send, tricks: { crash: () => controller.error(new Error('gone')) } }).handle(message)
      },
      cancel: over,
    })
    if (manners.answer === 'events') return new Response(body, { headers })
    const json = new Response(body).text().then(text =>
      text
        .split('\n')
        .findLast(line => line.startsWith('data: '))
        ?.slice(6),
    )
    return new Response(
      new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(encoder.encode(await json))
          controller.close()
        },
        cancel: over,
      }),
      { headers: { ...headers, 'content-type': 'application/json; charset=utf-8' } },
    )
  }

  const streamable = (request: Request, body: string): Response => {
    const session = request.headers.get('mcp-session-id')
    if (request.method === 'DELETE') {
      sessions.delete(session ?? '')
      return new Response(null, { status: 200 })
    }
    if (request.method === 'GET') {
      const last = request.headers.get('last-event-id')
      const reply = last === null ? undefined : missed.get(last)
      if (reply) return new Response(event(reply), { headers: { 'content-type': 'text/event-stream' } })
      return manners.noStream ? new Response(null, { status: 405 }) : onStream(`get-${session}`, encoder.encode(': here\n\n'))
    }
    const message = JSON.parse(body)
    if (message.method === 'initialize') {
      const fresh = crypto.randomUUID()
      sessions.add(fresh)
      return post(message, fresh)
    }
    if (!session || !sessions.has(session)) return new Response('no such session', { status: 404 })
    return post(message, session)
  }

  const older = (request: Request, url: URL, body: string): Response => {
    if (request.method === 'GET') {
      const id = crypto.randomUUID()
      return onStream(id, encoder.encode(`event: endpoint\ndata: /sse?session=${id}\n\n`))
    }
    const controller = streams.get(url.searchParams.get('session') ?? '')
    if (!controller) return new Response('no such session', { status: 404 })
    createFake({ send: reply => controller.enqueue(event(reply)), tricks: {} }).handle(JSON.parse(body))
    return new Response('Accepted', { status: 202 })
  }

  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url)
      const body = await request.text()
      requests.push({ method: request.method, body, headers: request.headers, path: url.pathname })
      if (manners.status !== undefined) return new Response('as you wish', { status: manners.status })
      if (url.pathname === '/moved') return Response.redirect('/mcp', 307)
      return url.pathname === '/sse' ? older(request, url, body) : streamable(request, body)
    },
  })

  const stop = async () => {
    for (const controller of streams.values()) {
      try {
        controller.close()
      } catch {
        // its client has left
      }
    }
    await server.stop(true)
  }
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port as number,
    manners,
    requests,
    open,
    forget() {
      sessions = new Set()
    },
    notify(method) {
      for (const controller of streams.values()) controller.enqueue(event({ jsonrpc: '2.0', method }))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
