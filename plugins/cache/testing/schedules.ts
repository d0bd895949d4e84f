import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { json } from 'node:stream/consumers'
import { listenOnFreePort } from '../../../core/testing/server/free-port.ts'
import { deltaEvent, eventsOf } from './behind.ts'
import { type Client, openClient } from './client.ts'
import { type CachingHouse, openCachingHouse } from './house.ts'
import { randomOf } from './random.ts'
import { blocksOf, withoutUsage } from './streams.ts'

/** What the upstream does when it is asked for the model of one schedule. Always the same, however often it is asked. */
interface Script {
  readonly events: readonly string[]
  readonly end: 'complete' | 'broken' | 'refused' | 'endless'
  /** Before the headers, and before each event, in turns of the event loop. */
  readonly pauses: readonly number[]
}

/** One run of a script, as the upstream saw it. */
export interface Run {
  readonly seed: number
  ended: 'complete' | 'broken' | 'refused' | 'left' | undefined
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

function scriptOf(seed: number): Script {
  const random = randomOf(seed * 7919 + 1)
  for (let i = 0; i < 8; i++) random() // the first numbers of near seeds are near each other
  const upto = (most: number) => Math.floor(random() * most)
  const texts = Array.from({ length: 1 + upto(30) }, (_, i) => `${i}é${'x'.repeat(random() < 0.1 ? upto(90_000) : upto(400))} `)
  const dice = random()
  const end = dice < 0.6 ? 'complete' : dice < 0.75 ? 'broken' : dice < 0.85 ? 'refused' : 'endless'
  return { events: eventsOf(texts), end, pauses: Array.from({ length: texts.length + 5 }, () => (random() < 0.5 ? 0 : upto(6))) }
}

/** An upstream that has a script for each model `m-SEED`, and a log of all its runs. */
async function openScripted() {
  const runs: Run[] = []
  const server = createServer(async (request, response) => {
    const { model, stream } = (await json(request)) as { readonly model: string; readonly stream?: boolean }
    const seed = Number(model.slice(2))
    const run: Run = { seed, ended: undefined }
    runs.push(run)
    response.on('close', () => {
      run.ended ??= 'left'
    })
    await play(scriptOf(seed), stream === true, response, how => {
      run.ended ??= how
    })
  })
  const port = await listenOnFreePort(server)
  const stop = () => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, runs, stop }
}

async function play(
  { events, end, pauses }: Script,
  stream: boolean,
  response: ServerResponse,
  over: (how: NonNullable<Run['ended']>) => void,
) {
  await turns(pauses[0] as number)
  if (end === 'refused' || (!stream && end === 'broken')) {
    over('refused')
    return response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
  }
  if (!stream && end === 'complete') {
    over('complete')
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(wholeOf(events)))
  }
  if (!stream) return // an endless answer never comes
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = async (event: string, pause: number) => {
    await turns(pause)
    if (!response.destroyed && !response.write(event)) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  const sent = end === 'complete' ? events : events.slice(0, end === 'broken' ? Math.ceil(events.length / 2) : -3)
  for (const [i, event] of sent.entries()) await send(event, pauses[i] as number)
  while (end === 'endless' && !response.destroyed) {
    await Bun.sleep(1)
    await send(deltaEvent(0, { content: '.' }), 0)
  }
  over(end === 'broken' ? 'broken' : 'complete')
  if (end !== 'broken') return response.end()
  await turns(2) // what was written leaves before
  response.destroy()
}

function wholeOf(events: readonly string[]) {
  const message = { role: 'assistant', content: contentOf(events.join('')) }
  const usage = { prompt_tokens: 1, completion_tokens: events.length - 4, total_tokens: events.length - 3 }
  return { id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }
}

/** The text of a chat, from its stream. */
const contentOf = (text: string): string =>
  blocksOf(text)
    .filter(block => block.startsWith('data: {'))
    .map(block => JSON.parse(block.slice(6)).choices?.[0]?.delta?.content ?? '')
    .join('')

const ways = [{ stream: true, stream_options: { include_usage: true } }, { stream: true }, {}] as const

/** Some clients ask for the same at different times, in different forms; some leave. Throws when one got what it should not, or hangs. */
async function playSchedule(house: CachingHouse, seed: number): Promise<void> {
  const random = randomOf(seed * 104_729 + 3)
  for (let i = 0; i < 8; i++) random()
  const upto = (most: number) => Math.floor(random() * most)
  const { events, end } = scriptOf(seed)
  // the model has its name from the request; the truth is what the script says under that name
  const truth = events.join('').replaceAll('"model":"m"', `"model":"m-${seed}"`)
  const clients = Array.from({ length: 2 + upto(7) }, () => {
    const way = ways[upto(3)] as (typeof ways)[number]
    const leaves = end === 'endless' || random() < 0.4
    return {
      way,
      start: upto(25),
      leaveAt: leaves ? upto(random() < 0.3 ? 1 : truth.length) : undefined,
      patience: upto(40),
      reads: random() > 0.15,
    }
  })
  await Promise.all(
    clients.map(async ({ way, start, leaveAt, patience, reads }) => {
      await turns(start)
      const body = JSON.stringify({ model: `m-${seed}`, messages: [{ role: 'user', content: 'hi' }], ...way })
      if (!reads) return idle(house.url, body, patience)
      const client = openClient(`${house.url}/v1/chat/completions`, body)
      if (leaveAt !== undefined) leave(client, leaveAt, patience)
      const ended = await Promise.race([client.ended, Bun.sleep(20_000).then(() => 'hangs')])
      if (ended === 'hangs' || ended === 'broken') throw new Error(`a client ${ended}`)
      check(client, ended, await client.response.then(({ status }) => status).catch(() => 0))
    }),
  )

  function check({ text }: Client, ended: string, status: number) {
    if (status === 0) return // it left before there was anything
    const streams = text.startsWith('data: ')
    const blocks = blocksOf(text)
    // a stream may be one that was made of a whole answer: then only what it says is the same
    const same = [truth, withoutUsage(truth)].some(all => (ended === 'left' ? all.startsWith(text) : all === text))
    const said = contentOf(blocks.filter(block => block.endsWith('\n\n') && !block.includes('"error"')).join(''))
    const all = contentOf(truth)
    if (streams && !same && !(end === 'endless' ? said.startsWith(all) || all.startsWith(said) : all.startsWith(said)))
      throw new Error(`a client got other words: ${text.slice(-300)}`)
    if (ended === 'left') return
    if (end === 'complete' && status !== 200) throw new Error(`a ${status}: ${text.slice(0, 300)}`)
    if (end === 'complete') {
      const good = streams ? said === all && text.endsWith('data: [DONE]\n\n') : JSON.parse(text).choices[0].message.content === all
      if (status !== 200 || !good) throw new Error(`a client got something else: ${status} ${text.slice(-300)}`)
      return
    }
    const error = JSON.parse((streams ? (blocks.at(-1) as string).slice(6) : text) || '{}').error
    if (!error || (end === 'refused' && status !== 400) || text.includes('[DONE]'))
      throw new Error(`an end that was none: ${text.slice(-300)}`)
  }
}

function leave(client: Client, at: number, patience: number): void {
  if (at === 0) turns(patience).then(client.leave)
  else client.until(at).then(client.leave)
  // it may never get so far
  Promise.race([client.ended, Bun.sleep(150)]).then(client.leave)
}

/** One who asks, does not read, and is gone after a while. */
async function idle(url: string, body: string, patience: number): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  await turns(patience * 3)
  socket.destroy()
}

/** Throws when something goes on although nobody is there any more. */
async function checkQuiet(house: CachingHouse, runs: readonly Run[]): Promise<void> {
  const busy = () => house.serving.gateway.exchanges.list().length + runs.filter(({ ended }) => ended === undefined).length
  for (let i = 0; i < 2000 && busy() > 0; i++) await Bun.sleep(5)
  const running = runs.filter(({ ended }) => ended === undefined).map(({ seed }) => seed)
  if (running.length > 0) throw new Error(`the upstream still runs for ${running}`)
  const { exchanges } = house.serving.gateway
  if (exchanges.list().length > 0) throw new Error(`${exchanges.list().length} requests are still in flight`)
  const { entries, bytes } = await house.report()
  if (entries === 0 && bytes !== 0) throw new Error(`nothing is kept, and takes ${bytes} bytes`)
  await house.clear()
  const left = await house.report()
  if (left.bytes !== 0 || left.entries !== 0) throw new Error(`a recording of ${left.bytes} bytes was not released`)
}

/** Plays many, a few at a time, and looks after each handful that nothing is left. */
export async function playSchedules(
  first: number,
  count: number,
  maxBytes: string,
): Promise<{ readonly runs: number; readonly shared: number }> {
  let [runs, shared] = [0, 0]
  // a house keeps its log
  for (let seed = first; seed < first + count; seed += perHouse) {
    const upstream = await openScripted()
    await using house = await openCachingHouse({
      yaml: {
        backends: { up: { type: 'openai-compatible', base_url: upstream.url } },
        router: { retries: 0 },
        cache: { max_bytes: maxBytes },
      },
    })
    const seeds = Array.from({ length: Math.min(perHouse, first + count - seed) }, (_, i) => seed + i)
    while (seeds.length > 0) await playTogether(house, upstream.runs, seeds.splice(0, 6))
    runs += upstream.runs.length
    shared += (await house.report()).joins
    await upstream.stop()
  }
  return { runs, shared }
}

const perHouse = 300

async function playTogether(house: CachingHouse, runs: readonly Run[], seeds: readonly number[]): Promise<void> {
  const named = (work: Promise<void>, name: string) =>
    work.catch(cause => {
      throw new Error(`${name}: ${cause.message}`, { cause })
    })
  await Promise.all(seeds.map(seed => named(playSchedule(house, seed), `seed ${seed}`)))
  await named(checkQuiet(house, runs), `seeds ${seeds}`)
}
