import { expect, test } from 'bun:test'
import { createAdminModels } from './admin-models.ts'
import { createBackendPool } from './backend-pool.ts'
import type { Backend } from './backends/backend.ts'
import type { Logger } from './log.ts'
import type { ModelRecord, ModelRecords } from './records/models.ts'
import { fakeVllm } from './testing/fake-vllm.ts'
import { openHouse } from './testing/open-house.ts'

const model = (change: Partial<ModelRecord> = {}): ModelRecord => ({
  id: 1,
  name: 'm',
  backend: 'vllm',
  baseUrl: 'http://192.0.2.1:8000',
  upstreamModel: null,
  enabled: true,
  source: 'admin',
  createdAt: 0,
  version: 1,
  ...change,
})

/** Records that a test changes as somebody else would, and that can fail. */
function openRows(rows: ModelRecord[]) {
  let tell = () => {}
  const state = { reads: 0, failing: false, listening: false, hold: undefined as Promise<void> | undefined }
  const records = {
    async *all() {
      state.reads++
      const found = [...rows]
      await state.hold
      if (state.failing) throw new Error('gone')
      yield found
    },
    onChange(listener: () => void) {
      state.listening = true
      tell = listener
      return () => {
        state.listening = false
      }
    },
  } as Partial<ModelRecords> as ModelRecords
  const change = (...now: ModelRecord[]) => {
    rows.splice(0, rows.length, ...now)
    tell()
  }
  return { state, records, change }
}

function open(rows: ModelRecord[], configured: readonly Backend[] = []) {
  const { state, records, change } = openRows(rows)
  const backends = new Map(configured.map(backend => [backend.name, backend]))
  const pool = createBackendPool()
  const warnings: string[] = []
  const log = { warn: (_: unknown, message: string) => warnings.push(message), error() {} } as unknown as Logger
  const made = createAdminModels({ records, backends, pool, log, retryMs: 1 })
  return { state, change, backends, pool, made, warnings }
}

const comesTrue = async (check: () => boolean) => {
  for (const until = performance.now() + 5000; !check(); await Bun.sleep(1))
    if (performance.now() > until) throw new Error('never came true')
}

test('each enabled model with an address has a backend as long as it has them', async () => {
  const { made, change, backends } = open([model()])
  await made.start()
  const first = backends.get('model:1')
  expect(first).toMatchObject({ name: 'model:1', type: 'vllm' })
  change(model({ name: 'other', version: 2 }))
  await made.settled()
  expect(backends.get('model:1')).toBe(first)
  expect([made.find('m'), made.find('other')?.version]).toEqual([undefined, 2])
  change(model({ baseUrl: 'http://192.0.2.2:8000' }), model({ id: 2, name: 'n', backend: 'api3' }))
  await made.settled()
  expect(backends.get('model:1')).not.toBe(first)
  expect(backends.get('model:2')).toMatchObject({ type: 'openai-compatible' })
  change(model({ enabled: false }), model({ id: 2, name: 'n', backend: 'home', baseUrl: null }))
  await made.settled()
  expect([...backends.keys()]).toEqual([])
  await made.close()
})

test('a backend is shared with the next generation and let go of by both', async () => {
  const { made, pool, backends } = open([model()])
  await made.start()
  const entry = { type: 'vllm', base_url: 'http://192.0.2.1:8000', headers: {}, timeouts: {} } as const
  const again = pool.take('model:1', entry)
  expect(again).toBe(backends.get('model:1') as Backend)
  await made.close()
  await pool.release(again)
  const fresh = pool.take('model:1', entry)
  expect(fresh).not.toBe(again)
})

test('many changes in one turn are read once, and one that comes while they are read is not missed', async () => {
  const { made, state, change } = open([])
  await made.start()
  expect(state.reads).toBe(1)
  for (let id = 1; id <= 100; id++) change(model({ id, name: `m-${id}` }))
  await made.settled()
  expect(state.reads).toBe(2)
  const held = Promise.withResolvers<void>()
  state.hold = held.promise
  change(model({ name: 'early' }))
  await comesTrue(() => state.reads === 3)
  change(model({ name: 'late' }))
  held.resolve()
  await made.settled()
  expect(made.find('late')).toBeDefined()
  expect(made.find('early')).toBeUndefined()
  await made.close()
})

test('a change during the start counts', async () => {
  const { made, state, change } = open([model({ name: 'early' })])
  const held = Promise.withResolvers<void>()
  state.hold = held.promise
  const started = made.start()
  await comesTrue(() => state.reads === 1)
  change(model({ name: 'late' }))
  held.resolve()
  await started
  expect([...made.all()].map(({ name }) => name)).toEqual(['late'])
  await made.close()
})

test('when they cannot be read again those known stay, and it is tried until it works', async () => {
  const { made, state, change, warnings } = open([model()])
  await made.start()
  state.failing = true
  change(model({ name: 'new' }))
  await made.settled()
  expect(made.find('m')).toBeDefined()
  expect(warnings[0]).toContain('could not be read again')
  await comesTrue(() => state.reads > 3)
  state.failing = false
  await comesTrue(() => made.find('new') !== undefined)
  await made.close()
  expect(state.listening).toBe(false)
})

test('a start that cannot read them fails, and nothing follows after the end', async () => {
  const broken = open([])
  broken.state.failing = true
  await expect(broken.made.start()).rejects.toThrow('gone')
  const { made, state, change, backends } = open([])
  await made.start()
  change(model())
  await made.close()
  await made.settled()
  expect([state.reads, [...backends.keys()]]).toEqual([1, []])
})

test('a name without a tag means :latest, unless there is one of that very name', async () => {
  const { made, change } = open([model({ name: 'm:latest' })])
  await made.start()
  expect([made.find('m')?.name, made.find('m:latest')?.name, made.find('m:8b')]).toEqual(['m:latest', 'm:latest', undefined])
  change(model({ name: 'm:latest' }), model({ id: 2, name: 'm' }))
  await made.settled()
  expect(made.find('m')?.name).toBe('m')
  await made.close()
})

test('those whose backend nobody configured are told once, and again when others join them', async () => {
  const stray = model({ backend: 'gone', baseUrl: null })
  const { made, change, warnings } = open([stray])
  await made.start()
  expect(warnings).toEqual([]) // plugins have not added theirs yet
  made.tellStrays()
  made.tellStrays()
  expect(warnings).toEqual(['1 models of the database name a backend that nobody configured'])
  change(stray, { ...stray, id: 2, name: 'n' }, { ...stray, id: 3, name: 'off', enabled: false })
  await made.settled()
  expect(warnings.at(-1)).toBe('2 models of the database name a backend that nobody configured')
  await made.close()
})

test('answers of the server before are not given from the cache after a model was moved', async () => {
  await using one = await fakeVllm()
  await using other = await fakeVllm()
  await using house = await openHouse({ yaml: { backends: { up: { type: 'echo' } }, cache: { enabled: true } } })
  const { models } = house.serving.gateway.records
  const settings = { name: 'm', backend: 'vllm', baseUrl: one.url, upstreamModel: 'echo', enabled: true }
  await models.create(settings, 'admin', { who: 'test' })
  await house.serving.gateway.models.settled()
  const chat = async () => {
    const response = await fetch(`${house.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
    })
    await response.arrayBuffer()
    return response.headers.get('x-cache')
  }
  expect([await chat(), await chat()]).toEqual(['MISS', 'HIT'])
  await models.update(1, { baseUrl: other.url }, { who: 'test' })
  await house.serving.gateway.models.settled()
  expect(await chat()).toBe('MISS')
  expect(other.streams.length).toBe(1)
})
