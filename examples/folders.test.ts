/** Every folder with a gatehouse.yaml starts and answers; its backends are replaced by fakes of their kind. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { fakeLlamaServer } from '../core/testing/fake-llama-server.ts'
import { fakeOllama } from '../core/testing/fake-ollama.ts'
import { fakeOpenai } from '../core/testing/fake-openai.ts'
import type { FakeServer } from '../core/testing/fake-server.ts'
import { fakeVllm } from '../core/testing/fake-vllm.ts'
import { startGatehouse } from '../core/testing/gatehouse-process.ts'

const here = new URL('.', import.meta.url).pathname
const folders = readdirSync(here, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && readdirSync(here + entry.name).includes('gatehouse.yaml'))
  .map(({ name }) => name)

let fakes: Readonly<Record<string, FakeServer>>

beforeAll(async () => {
  const [ollama, vllm, llamacpp, openai] = await Promise.all([
    fakeOllama({ models: ['qwen3:8b'] }),
    fakeVllm({ models: ['Qwen/Qwen3-32B'] }),
    fakeLlamaServer(),
    fakeOpenai(),
  ])
  fakes = { ollama, vllm, llamacpp, openai, 'openai-compatible': openai }
})
afterAll(() => Promise.all(Object.values(fakes).map(fake => fake.stop())))

interface Yaml {
  readonly backends: Record<string, { type: string; base_url?: string }>
  readonly models?: readonly { name: string }[]
}

/** The example's own files, the addresses alone changed. */
async function filesOf(folder: string): Promise<{ files: Record<string, string>; yaml: Yaml }> {
  const files: Record<string, string> = {}
  for (const name of readdirSync(here + folder)) files[name] = await Bun.file(`${here}${folder}/${name}`).text()
  const yaml = Bun.YAML.parse((files['gatehouse.yaml'] as string).replaceAll(/\$\{\w+\}/g, 'sk-example')) as Yaml
  for (const backend of Object.values(yaml.backends)) if (backend.type !== 'echo') backend.base_url = fakes[backend.type]?.url as string
  return { files: { ...files, 'gatehouse.yaml': JSON.stringify(yaml) }, yaml }
}

test('there are examples', () => {
  expect(folders).toEqual(expect.arrayContaining(['all-backends', 'llama-server', 'minimal', 'user-plugin']))
})

describe.each(folders)('%s', folder => {
  test('starts, lists its models and answers under each name it gives', async () => {
    const { files, yaml } = await filesOf(folder)
    await using gatehouse = await startGatehouse({ files, env: { API_KEY: '' } })
    const headers = { authorization: 'Bearer sk-example', 'content-type': 'application/json' }
    const list = (await (await fetch(`${gatehouse.url}/v1/models`, { headers })).json()) as { data: { id: string }[] }
    const ids = list.data.map(({ id }) => id)
    const named = (yaml.models ?? []).map(({ name }) => name)
    expect(ids).toEqual(expect.arrayContaining(named.filter(name => !name.includes('*'))))
    const asked = named.length > 0 ? named.map(name => name.replace('*', 'echo')) : [ids[0] as string]
    for (const model of asked) {
      const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] })
      const response = await fetch(`${gatehouse.url}/v1/chat/completions`, { method: 'POST', headers, body })
      const quiet = folder === 'user-plugin' && response.status === 503 // it may be night
      if (!quiet) expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject(quiet ? { error: { code: 'quiet_hours' } } : { model })
    }
  })
})
