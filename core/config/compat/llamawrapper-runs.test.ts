import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { startGatehouse } from '../../testing/gatehouse-process.ts'
import { standIn } from '../../testing/model-process/stand-in.ts'

setDefaultTimeout(60_000)

const examples = join(import.meta.dir, 'examples/llamawrapper')
/** A real llama-server and its model, or else the stand-in. */
const { LLAMA_SERVER_PATH: realServer, GGUF_PATH: realModel } = process.env

describe.each(['quickstart.yaml', 'linux.yaml', 'macos.yaml'])('LlamaWrapper’s %s, paths aside', name => {
  test('starts, and the calls of its README answer', async () => {
    using stand = standIn()
    const text = readFileSync(join(examples, name), 'utf8')
    const files = [...text.matchAll(/model_path: "(.*)"/g)].map(([, path = '']) => path)
    let config = text.replace(/llama_server_path: ".*"/, `llama_server_path: "${realServer ?? stand.executable}"`)
    for (const path of files) config = config.replace(path, realModel ?? stand.model(basename(path, '.gguf')))
    await using gatehouse = await startGatehouse({ files: { 'config.yaml': config } })
    const ask = async (path: string, body?: object) => {
      const response = await fetch(gatehouse.url + path, body && { method: 'POST', body: JSON.stringify(body) })
      return { status: response.status, text: await response.text() }
    }
    const [model = ''] = [...config.matchAll(/name: "(.*)"/g)].map(([, found = '']) => found)

    expect(JSON.parse((await ask('/health')).text)).toMatchObject({ status: 'healthy', loaded_models: [] })
    const list = JSON.parse((await ask('/v1/models')).text)
    expect(list.data).toHaveLength(files.length)

    const messages = [{ role: 'user', content: 'Hello!' }]
    const whole = await ask('/v1/chat/completions', { model, messages, max_tokens: 8 })
    expect([whole.status, JSON.parse(whole.text)]).toMatchObject([200, { model, choices: [{ message: { role: 'assistant' } }] }])
    const stream = await ask('/v1/chat/completions', { model, messages, max_tokens: 8, stream: true })
    expect(stream.text).toEndWith('data: [DONE]\n\n')
    const completion = await ask('/v1/completions', { model, prompt: 'Once upon a time', max_tokens: 8 })
    expect([completion.status, JSON.parse(completion.text)]).toMatchObject([200, { model, choices: [{ text: expect.any(String) }] }])
    expect(JSON.parse((await ask('/health')).text)).toMatchObject({ loaded_models: [model] })
  })
})
