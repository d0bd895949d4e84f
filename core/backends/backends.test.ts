import { expect, test } from 'bun:test'
import { upstream } from '../http/upstream.ts'
import { fakeLlamaServer } from '../testing/fake-llama-server.ts'
import { fakeOllama } from '../testing/fake-ollama.ts'
import { fakeOpenai } from '../testing/fake-openai.ts'
import type { FakeServer } from '../testing/fake-server.ts'
import { fakeVllm } from '../testing/fake-vllm.ts'
import { testBackend } from './contract.ts'
import { createBackend } from './create.ts'
import { echoBackend } from './echo.ts'
import { compatibleBackend } from './openai.ts'

const overHttp = (type: 'openai' | 'openai-compatible' | 'vllm' | 'llamacpp' | 'ollama', start: () => Promise<FakeServer>) => async () => {
  const fake = await start()
  const backend = createBackend('up', { type, base_url: fake.url, headers: {}, timeouts: {} })
  // a llama-server runs one model and answers to every name
  return { backend, fake, model: 'echo', unknownModel: type === 'llamacpp' ? undefined : 'missing', close: () => fake.stop() }
}

testBackend('openai', overHttp('openai', fakeOpenai))
testBackend('openai-compatible', overHttp('openai-compatible', fakeOpenai))
testBackend('vllm', overHttp('vllm', fakeVllm))
testBackend('llamacpp', overHttp('llamacpp', fakeLlamaServer))
testBackend('ollama', overHttp('ollama', fakeOllama))
testBackend('echo', async () => ({
  backend: echoBackend({ name: 'demo' }),
  fake: undefined,
  model: 'echo',
  unknownModel: undefined,
  close: async () => {},
}))

test('api3 is another word for openai-compatible', async () => {
  expect(createBackend('x', { type: 'api3', base_url: 'http://127.0.0.1:1', headers: {}, timeouts: {} }).type).toBe('openai-compatible')
})

test('key and extra headers go upstream with every request', async () => {
  const fake = await fakeOpenai({ apiKey: 'sk-up' })
  const backend = compatibleBackend({ name: 'up', type: 'x', baseUrl: fake.url, apiKey: 'sk-up', headers: { 'x-team': 'blue' }, upstream })
  await backend.models(AbortSignal.timeout(5000))
  await backend.probe(AbortSignal.timeout(5000))
  for (const { headers } of fake.requests) expect(headers).toMatchObject({ authorization: 'Bearer sk-up', 'x-team': 'blue' })
  expect(fake.requests.length).toBe(2)
  await fake.stop()
})

test('vLLM and llama-server tell their context length', async () => {
  for (const [type, start] of [
    ['vllm', fakeVllm],
    ['llamacpp', fakeLlamaServer],
  ] as const) {
    const { backend, close } = await overHttp(type, start)()
    const [model] = await backend.models(AbortSignal.timeout(5000))
    expect(model?.contextLength).toBeGreaterThan(0)
    await close()
  }
})
