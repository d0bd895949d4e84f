import { describe, expect, test } from 'bun:test'
import { fakeOllama } from './testing/fake-ollama.ts'
import { openHouse } from './testing/open-house.ts'

const body = (model: string, stream = false) =>
  JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'one two three four' }] })
const chat = (url: string, model = 'echo', stream = false) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body: body(model, stream) })
const echo = { backends: { up: { type: 'echo' } } }

/** A plugin that marks answers, and the log when it is closed. */
const marker = `
import { definePlugin } from 'gatehouse'
export default definePlugin({
  name: 'marker',
  setup: ({ mark }, { log }) => ({
    async handle(ctx, next) {
      const response = await next()
      ctx.headers.set('x-mark', mark)
      return response
    },
    close: () => void log.info({ mark }, 'marker closed'),
  }),
})`
const marked = (mark: string) => ({ ...echo, pipeline: ['auth', 'limiter', './marker.ts', 'router'], marker: { mark } })

describe('a reload', () => {
  test('is what the next request sees; requests in flight finish on the old pipeline, which is closed after them', async () => {
    await using ollama = await fakeOllama()
    const yaml = (mark: string) => ({ ...marked(mark), backends: { home: { type: 'ollama', base_url: ollama.url } } })
    await using house = await openHouse({ yaml: yaml('old'), files: { 'marker.ts': marker } })
    const inFlight = await chat(house.url, 'hold-mid', true)
    expect(inFlight.headers.get('x-mark')).toBe('old')
    await house.reload(yaml('new'))
    expect((await chat(house.url)).headers.get('x-mark')).toBe('new')
    expect(house.lines.filter(({ message }) => message === 'marker closed')).toEqual([])
    ollama.release()
    expect(await inFlight.text()).toEndWith('data: [DONE]\n\n')
    await Bun.sleep(0)
    expect(house.lines.find(({ message }) => message === 'marker closed')).toMatchObject({ mark: 'old' })
  })

  test('that cannot be served changes nothing and says why', async () => {
    await using house = await openHouse({ yaml: marked('old'), files: { 'marker.ts': marker } })
    await expect(house.reload({ ...marked('new'), router: { retries: 'many' } })).rejects.toThrow('router.retries')
    await expect(house.reload({ ...echo, pipeline: ['./nowhere.ts', 'router'] })).rejects.toThrow('there is no plugin file')
    await expect(house.reload({ ...echo, tls: { enabled: true, cert_file: 'no.pem', key_file: 'no.pem' } })).rejects.toThrow(
      'does not exist',
    )
    expect((await chat(house.url)).headers.get('x-mark')).toBe('old')
  })

  test('takes over backends that did not change, with what is known of them, and closes those that did', async () => {
    await using ollama = await fakeOllama()
    const home = { type: 'ollama', base_url: ollama.url }
    await using house = await openHouse({ yaml: { backends: { home, other: { type: 'echo' } } } })
    expect((await fetch(`${house.url}/v1/models`)).status).toBe(200)
    const { backends } = house.serving.gateway
    const asked = ollama.requests.length
    await house.reload({ backends: { home, other: { type: 'echo', delay: '1ms' }, third: { type: 'echo' } } })
    const after = house.serving.gateway.backends
    expect([...after.keys()]).toEqual(['home', 'other', 'third'])
    expect(after.get('home')).toBe(backends.get('home') as never)
    expect(after.get('other')).not.toBe(backends.get('other') as never)
    expect((await chat(house.url, 'mistral')).status).toBe(200) // known from before: not asked again
    expect(ollama.requests.slice(asked).map(({ path }) => path)).toEqual(['/api/chat'])
  })

  test('of the models and the key', async () => {
    await using house = await openHouse({ yaml: echo })
    expect((await chat(house.url)).status).toBe(200)
    await house.reload({ ...echo, api_key: 'k', models: [{ name: 'smart', targets: [{ backend: 'up', model: 'echo' }] }] })
    expect((await chat(house.url)).status).toBe(401)
    const list = await fetch(`${house.url}/v1/models`, { headers: { 'x-api-key': 'k' } })
    expect(await list.json()).toMatchObject({ data: [{ id: 'smart' }, { id: 'echo' }] })
  })

  test('a hundred times leaves nothing behind', async () => {
    await using house = await openHouse({ yaml: marked('0'), files: { 'marker.ts': marker } })
    for (let i = 1; i <= 100; i++) {
      await house.reload(marked(String(i)))
      expect((await chat(house.url)).headers.get('x-mark')).toBe(String(i))
    }
    expect(house.lines.filter(({ message }) => message === 'marker closed')).toHaveLength(100)
  })
})

describe('a reload that moves the port', () => {
  test('goes there, and requests in flight end on the old one', async () => {
    await using ollama = await fakeOllama()
    const backends = { home: { type: 'ollama', base_url: ollama.url } }
    await using house = await openHouse({ yaml: { backends } })
    const old = house.url
    const inFlight = await chat(old, 'hold-mid', true)
    const [free] = await freePorts(1)
    await house.reload({ backends, port: free })
    expect(house.url).toEndWith(`:${free}`)
    expect((await fetch(`${house.url}/health/live`)).status).toBe(200)
    await expect(fetch(`${old}/health/live`)).rejects.toThrow()
    ollama.release()
    expect(await inFlight.text()).toEndWith('data: [DONE]\n\n')
  })

  test('to one that is taken stays where it is', async () => {
    await using house = await openHouse({ yaml: echo })
    using taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    await expect(house.reload({ ...echo, port: taken.port })).rejects.toThrow('is taken')
    await Bun.sleep(10)
    expect((await chat(house.url)).status).toBe(200)
  })
})

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() }))
  const ports = servers.map(({ port }) => port as number)
  await Promise.all(servers.map(server => server.stop(true)))
  return ports
}

describe('plugins that never end', () => {
  const stuck = `
    import { definePlugin } from 'gatehouse'
    export default definePlugin({ name: 'stuck', setup: (_, { config, log }) => ({
      close: () => config.heartbeat === 7000 ? new Promise(() => {}) : void log.info('stuck closed'),
    }) })`
  test('do not keep a stop from ending, and are named', async () => {
    const yaml = { ...echo, pipeline: ['./stuck.ts', 'auth', 'router'], heartbeat: '7s' }
    const house = await openHouse({ yaml, files: { 'stuck.ts': stuck } })
    await house.stop()
    expect(house.lines.find(({ message }) => String(message).includes('did not close'))).toMatchObject({ plugin: 'stuck' })
  }, 20_000)
})

test('generations do not hold on to those before them', async () => {
  await using house = await openHouse({ yaml: echo })
  const gateways: WeakRef<object>[] = []
  for (let i = 0; i < 20; i++) {
    await house.reload({ ...echo, heartbeat: `${i + 1}s` })
    expect((await chat(house.url)).status).toBe(200)
    gateways.push(new WeakRef(house.serving.gateway))
  }
  await Bun.sleep(50)
  Bun.gc(true)
  await Bun.sleep(50)
  Bun.gc(true)
  expect(gateways.filter(gateway => gateway.deref()).length).toBeLessThan(10)
})
