import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type GatehouseProcess, startGatehouse } from '../../core/testing/gatehouse-process.ts'
import { runScript } from './run-script.ts'

/** Each example as a user runs it: in a process of its own, against `gatehouse demo`. */
describe('an example against gatehouse demo', () => {
  let demo: GatehouseProcess
  let env: Record<string, string>
  beforeAll(async () => {
    demo = await startGatehouse({ args: ['demo', '--port', '0'] })
    env = { OPENAI_BASE_URL: `${demo.url}/v1` }
  })
  afterAll(() => demo?.[Symbol.asyncDispose]())

  const check = (output: string) => {
    expect(output).toContain('models: echo\n')
    expect(output).toContain('chat: Say hello to the gatehouse. (10 tokens)\n')
    expect(output).toContain('stream: Count from one to five.\n')
    expect(output).toContain('tools: What is the weather in Paris?\n')
    expect(output).toContain('structured: {"name":"Ada Lovelace","born":1815}\n')
    expect(output).toContain('embeddings: 64 numbers, 64 numbers\n')
  }

  test('openai.ts on Bun', async () => {
    check(await runScript([process.execPath, `${import.meta.dir}/openai.ts`], env))
  })

  test.skipIf(!Bun.which('node'))('openai.ts on Node', async () => {
    // older Nodes do not read TypeScript, so they get it as a bundle
    const bundle = join(demo.folder, 'openai.mjs')
    const { outputs } = await Bun.build({ entrypoints: [`${import.meta.dir}/openai.ts`], target: 'node' })
    await Bun.write(bundle, outputs[0] as Blob)
    check(await runScript(['node', bundle], env))
    rmSync(bundle)
  })

  test.skipIf(!Bun.which('curl'))('curl.sh', async () => {
    const output = await runScript(['sh', `${import.meta.dir}/curl.sh`], env)
    const [models, chat, stream, tools, structured, embeddings] = output.split(/^# .*\n/m).slice(1) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    expect(JSON.parse(models)).toMatchObject({ object: 'list', data: [{ id: 'echo' }] })
    expect(JSON.parse(chat)).toMatchObject({ choices: [{ message: { content: 'Say hello to the gatehouse.' } }] })
    expect(stream).toContain('"usage":{')
    expect(stream.trim()).toEndWith('data: [DONE]')
    expect(JSON.parse(tools)).toMatchObject({ object: 'chat.completion' })
    expect(JSON.parse(JSON.parse(structured).choices[0].message.content)).toEqual({ name: 'Ada Lovelace', born: 1815 })
    expect(JSON.parse(embeddings).data).toHaveLength(2)
  })
})
