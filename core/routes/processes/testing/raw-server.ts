// A model server of no kind in particular: repeats what it is asked, and does what its paths say. Its port is its argument.
const encoder = new TextEncoder()
let left = 0

/** Chunks of any size with a silence after an event, so that whoever forwards them can be seen to add and to change nothing. */
async function* slices(): AsyncGenerator<Uint8Array> {
  const bytes = encoder.encode('data: {"t":"wörld 🙂"}\n\n: a comment of mine\r\n\r\nevent: x\ndata: 1')
  for (let at = 0; at < bytes.length; at += 9) {
    yield bytes.slice(at, at + 9)
    await Bun.sleep(at === 18 ? 400 : 1)
  }
}

/** One event, and then nothing until the reader has left. */
const endless = (request: Request, then: () => void) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(encoder.encode('data: first\n\n'))
        request.signal.addEventListener('abort', () => left++, { once: true })
        then()
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  )

const routes: Readonly<Record<string, (request: Request, query: URLSearchParams) => Response | Promise<Response>>> = {
  '/health': () => new Response('ok'),
  '/slices': () => new Response(slices(), { headers: { 'content-type': 'text/event-stream' } }),
  '/slow-json': () =>
    new Response(
      (async function* () {
        yield encoder.encode('{"a":')
        await Bun.sleep(50)
        yield encoder.encode('1}')
      })(),
      { headers: { 'content-type': 'application/json' } },
    ),
  '/endless': request => endless(request, () => {}),
  '/die': request => endless(request, () => setTimeout(() => process.exit(7), 100)),
  '/silent': request => {
    request.signal.addEventListener('abort', () => left++, { once: true })
    return new Promise(() => {})
  },
  '/key': () => new Response(process.argv[3]),
  '/left': () => Response.json({ left }),
  '/redirect': () => new Response(null, { status: 307, headers: { location: 'http://example.com/elsewhere' } }),
  '/unchanged': () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
  '/packed': () =>
    new Response(Bun.gzipSync(encoder.encode('packed')), { headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' } }),
  '/teapot': () => new Response('short and stout', { status: 418, headers: { 'set-cookie': 'a=b', 'access-control-allow-origin': '*' } }),
  '/say': (_, query) => {
    for (let line = 1; line <= Number(query.get('lines')); line++) console.log(`${query.get('text')} ${line}`)
    return new Response('said')
  },
}

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  idleTimeout: 0,
  async fetch(request) {
    const { pathname, search, searchParams } = new URL(request.url)
    const known = routes[pathname]
    if (known) return known(request, searchParams)
    return Response.json({
      method: request.method,
      path: request.url.slice(request.url.indexOf('/', 'http://'.length)),
      search,
      headers: Object.fromEntries(request.headers),
      body: Buffer.from(await request.bytes()).toString('base64'),
    })
  },
})
console.log('listening')
