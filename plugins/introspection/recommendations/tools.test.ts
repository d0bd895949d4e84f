import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGatehouse } from '../../../core/testing/gatehouse-process.ts'
import { builtIn } from '../../index.ts'

setDefaultTimeout(30_000) // a whole process each, on a machine that may be busy

const plugin = join(import.meta.dir, '..', 'index.ts')
const own = builtIn.has('introspection') ? {} : { pipeline: ['auth', 'limiter', plugin, 'router'] }
const config = JSON.stringify({ ...own, backends: { up: { type: 'echo' } }, api_key: 'k-tools-00000' })

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tools-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Answer {
  readonly success: boolean
  readonly data: {
    readonly hardware: { readonly total_ram_gb: number; readonly gpu_vram_gb: number; readonly [name: string]: unknown }
    readonly hardware_group: string
    readonly recommendations: readonly { readonly ollama_name: string; readonly min_ram_gb: number; readonly min_vram_gb: number }[]
  }
}

/** A gateway on a machine whose `nvidia-smi` prints this; every start of a tool leaves a line in the file `started`. */
async function onMachine(name: string, output: string) {
  const started = join(folder, `${name}.started`)
  const tools = mkdtempSync(join(folder, name))
  for (const [tool, body] of [
    ['nvidia-smi', `cat <<'END'\n${output}\nEND`],
    ['rocm-smi', 'exit 2'],
    ['lspci', 'exit 1'],
  ] as const) {
    const file = join(tools, tool)
    writeFileSync(file, `#!/bin/sh\necho ${tool} >> '${started}'\n${body}\n`)
    chmodSync(file, 0o755)
  }
  const house = await startGatehouse({
    env: { PATH: `${tools}:${process.env.PATH}` },
    files: { 'gatehouse.yaml': config },
  })
  const ask = async () => (await (await fetch(`${house.url}/v1/hardware/recommendations`)).json()) as Answer
  const starts = () => (existsSync(started) ? readFileSync(started, 'utf8').trim().split('\n') : [])
  return { ask, starts, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

describe.skipIf(process.platform !== 'linux')('with tools of its own', () => {
  test('a card of 12288 MiB; fifty calls, no key, and one process', async () => {
    await using house = await onMachine('one-card', 'NVIDIA GeForce RTX 3060, 12288, 550.54.14')
    expect(house.starts()).toEqual([])
    const answers = await Promise.all(Array.from({ length: 50 }, house.ask))
    await house.ask()
    expect(house.starts()).toEqual(['nvidia-smi'])
    for (const answer of answers) expect(answer).toEqual(answers[0] as Answer)
    const { success, data } = answers[0] as Answer
    expect(success).toBe(true)
    expect(data.hardware).toEqual({
      cpu_cores: expect.any(Number),
      cpu_model: expect.any(String),
      total_ram_gb: expect.any(Number),
      gpu_detected: true,
      gpu_name: 'NVIDIA GeForce RTX 3060',
      gpu_vram_gb: 12,
      detection_method: 'nvidia-smi',
    })
    expect(data.hardware_group).toBe('gpu_8_16gb_vram')
    const names = ['mistral', 'llama3.2-vision:11b', 'qwen2.5:7b', 'gemma3:12b']
    if (data.hardware.total_ram_gb >= 12) expect(data.recommendations.map(({ ollama_name }) => ollama_name)).toEqual(names)
    expect(data.recommendations[0]).toMatchObject({
      name: 'Mistral 7B',
      priority: 1,
      description: expect.any(String),
      intelligence_score: 7,
      parameters_b: 7,
      min_ram_gb: 8,
      min_vram_gb: 8,
      quantized: true,
      ollama_command: 'ollama pull mistral',
      use_cases: expect.any(Array),
    })
  })

  test('a card of 2048 MiB: nothing that needs more than the machine has', async () => {
    await using house = await onMachine('small-card', 'NVIDIA GeForce GT 1030, 2048, 550.54.14')
    const { hardware, recommendations, hardware_group } = (await house.ask()).data
    expect(hardware).toMatchObject({ gpu_detected: true, gpu_vram_gb: 2, detection_method: 'nvidia-smi' })
    expect(hardware_group).not.toStartWith('gpu')
    for (const model of recommendations) {
      expect(model.min_vram_gb).toBeLessThanOrEqual(2)
      expect(model.min_ram_gb).toBeLessThanOrEqual(hardware.total_ram_gb)
    }
  })

  test('without a card the other tools are asked, once each', async () => {
    await using house = await onMachine('no-card', 'No devices were found')
    await Promise.all(Array.from({ length: 20 }, house.ask))
    expect(house.starts()).toEqual(['nvidia-smi', 'rocm-smi', 'lspci'])
  })
})
