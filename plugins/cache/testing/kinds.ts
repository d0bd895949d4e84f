import { fakeLlamaServer } from '../../../core/testing/fake-llama-server.ts'
import { fakeOllama } from '../../../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../../../core/testing/fake-openai.ts'
import type { FakeServer } from '../../../core/testing/fake-server.ts'
import { fakeVllm } from '../../../core/testing/fake-vllm.ts'

/** The kinds of upstreams there are. A test's house calls the models of each `KIND/NAME`. */
export const kinds = ['ollama', 'openai', 'vllm', 'llama'] as const

export type Kind = (typeof kinds)[number]

const types = { ollama: 'ollama', openai: 'openai', vllm: 'vllm', llama: 'llamacpp' } as const

/** One of each, and the part of a config that names them. */
export async function openKinds() {
  const [ollama, openai, vllm, llama] = await Promise.all([fakeOllama(), fakeOpenai(), fakeVllm(), fakeLlamaServer()])
  const fakes: Readonly<Record<Kind, FakeServer>> = { ollama, openai, vllm, llama }
  return {
    fakes,
    yaml: {
      backends: Object.fromEntries(kinds.map(kind => [kind, { type: types[kind], base_url: fakes[kind].url }])),
      models: kinds.map(kind => ({ name: `${kind}/*`, targets: [{ backend: kind }] })),
      router: { retries: 0 },
    },
    async stop() {
      await Promise.all(Object.values(fakes).map(fake => fake.stop()))
    },
  }
}

/** A tool with an argument of its own. */
export const tools = [
  { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } } },
]
