import { afterEach, describe, expect, test } from 'bun:test'
import { predictModel } from './footprint-model.ts'
import { readGguf } from './gguf.ts'
import { canListen, portChooser } from './launch/choose-port.ts'
import { planLaunch } from './launch/launch.ts'
import { checkLlamaServer } from './llama-server-check.ts'
import { abilitiesOf } from './llama-server-help.ts'
import { readProps, shortcoming } from './llama-server-props.ts'
import { type LlamaServerModel, settingsOf } from './llama-server-settings.ts'
import { type Child, spawnChild } from './spawn-child.ts'

const { LLAMA_SERVER_PATH, GGUF_PATH } = process.env

describe.skipIf(!LLAMA_SERVER_PATH || !GGUF_PATH)('a real llama-server', () => {
  let child: Child | undefined
  afterEach(() => child?.stop(2_000))
  const abilities = abilitiesOf()
  const apiKey = 'sk-fake-fake-fake'

  async function start(more: Partial<LlamaServerModel> = {}) {
    const { port } = await portChooser(22_000)()
    const model = { ...usual, ...more }
    const { command, args, env, healthPath } = await planLaunch(
      { name: 'tiny', ...model },
      { port, apiKey },
      { llamaServer: LLAMA_SERVER_PATH, env: process.env, abilities },
    )
    const lines: string[] = []
    const running = await spawnChild({ command, args, env, onOutput: line => lines.push(line) })
    child = running
    const ask = (path: string, key = apiKey) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${key}` } })
    for (let tries = 0; (await ask(healthPath).catch(() => undefined))?.status !== 200; tries++) {
      if (tries > 500) throw new Error(lines.join('\n'))
      await Bun.sleep(20)
    }
    return { port, model, pid: running.pid, ask, lines }
  }
  const usual = {
    model_path: GGUF_PATH ?? '',
    gpu_layers: 0,
    context_size: 768,
    threads: 1,
    batch_size: 512,
    slots: 3,
    extra_args: ['-lv', '4'],
  }

  test.each([
    ['sharing one cache', []],
    ['with a cache each', ['--no-kv-unified']],
  ])(
    'gives every slot the whole context, %s',
    async (_, more) => {
      const { ask } = await start({ extra_args: [...usual.extra_args, ...more] })
      const props = readProps(await (await ask('/props')).json())
      expect(props).toEqual({ slots: 3, contextSize: 768 })
      expect(shortcoming(props, { slots: 3, contextSize: 768 })).toBeUndefined()
    },
    30_000,
  )

  test('takes nobody without its key, which is not in the list of processes', async () => {
    const { port, pid } = await start()
    const check = checkLlamaServer({ wanted: { slots: 3, contextSize: 768 }, onShortcoming: problem => expect(problem).toBe('') })
    const baseUrl = `http://127.0.0.1:${port}`
    await check({ baseUrl, apiKey }, AbortSignal.timeout(5_000))
    await expect(check({ baseUrl, apiKey: 'sk-another' }, AbortSignal.timeout(5_000))).rejects.toThrow('does not take the key')
    if (process.platform !== 'linux') return
    const line = await Bun.file(`/proc/${pid}/cmdline`).text()
    expect(line).toContain(String(GGUF_PATH))
    expect(line).not.toContain(apiKey)
  }, 30_000)

  test('keeps others off its port, though it would share it', async () => {
    const { port } = await start()
    expect(await canListen(port)).toBe(false)
  }, 30_000)

  test('has no more memory than was predicted, and a cache of exactly that size', async () => {
    const { model, pid, lines } = await start()
    const { unifiedCache } = await abilities({ command: String(LLAMA_SERVER_PATH), env: {} })
    const predicted = await predictModel(model, readGguf, unifiedCache)
    const caches = lines.flatMap(line => /KV buffer size = +([\d.]+) MiB/.exec(line)?.[1] ?? []).map(Number)
    // there may be several; those of the trial before have no memory
    const said = caches.reduce((sum, mebibytes) => sum + mebibytes, 0)
    expect(said).toBeCloseTo(predicted.cache / 1024 ** 2, 1)
    expect(settingsOf(model, unifiedCache).sharedTokens).toBe(unifiedCache ? 768 : undefined)
    if (process.platform !== 'linux') return
    const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(await Bun.file(`/proc/${pid}/status`).text())?.[1]) * 1024
    expect(resident).toBeLessThan(predicted.bytes)
    expect(resident).toBeGreaterThan(predicted.bytes / 4)
  }, 30_000)
})
