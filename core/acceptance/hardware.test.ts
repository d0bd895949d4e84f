import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canConfine, confinedTo } from './confined.ts'
import { type Gate, openGate } from './harness.ts'

setDefaultTimeout(30_000)

interface Recommendations {
  readonly success: boolean
  readonly data: {
    readonly hardware: { readonly total_ram_gb: number; readonly gpu_vram_gb: number; readonly detection_method: string }
    readonly hardware_group: string
    readonly recommendations: readonly Model[]
  }
}
interface Model {
  readonly ollama_name: string
  readonly priority: number
  readonly min_ram_gb: number
  readonly min_vram_gb: number
}

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-acceptance-'))
const started = join(folder, 'started')

/** A PATH on which the tools that know graphics cards print this, and note each of their starts. */
function toolsThatSay(nvidia: string): string {
  const tools = mkdtempSync(join(folder, 'tools-'))
  for (const [name, body] of [
    ['nvidia-smi', `echo '${nvidia}'`],
    ['rocm-smi', 'exit 9'],
    ['lspci', 'exit 9'],
  ] as const) {
    const file = join(tools, name)
    writeFileSync(file, `#!/bin/sh\necho ${name} >> '${started}'\n${body}\n`)
    chmodSync(file, 0o755)
  }
  return `${tools}:${process.env.PATH}`
}

const ask = ({ url }: { readonly url: string }) => fetch(`${url}/v1/hardware/recommendations`)
const recommended = async (at: { readonly url: string }) => ((await (await ask(at)).json()) as Recommendations).data

/** The group of cards with 8 to 16 GB, as LlamaGate has it; its vision model goes by Ollama's name for it. */
const group = [
  { ollama_name: 'mistral', min_ram_gb: 8, min_vram_gb: 8 },
  { ollama_name: 'llama3.2-vision:11b', min_ram_gb: 12, min_vram_gb: 12 },
  { ollama_name: 'qwen2.5:7b', min_ram_gb: 8, min_vram_gb: 8 },
  { ollama_name: 'gemma3:12b', min_ram_gb: 12, min_vram_gb: 12 },
]

let gate: Gate
beforeAll(async () => {
  gate = await openGate({ env: { PATH: toolsThatSay('NVIDIA GeForce RTX 3060, 12288, 550.54.14') } })
})
afterAll(async () => {
  await gate?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

test('A68 fifty at once, and fifty in a row, start one program', async () => {
  const replies = await Promise.all(Array.from({ length: 50 }, () => ask(gate)))
  expect(replies.filter(({ status }) => status !== 200 && status !== 429)).toEqual([])
  expect(replies.some(({ status }) => status === 200)).toBe(true)
  for (let i = 0; i < 50; i++) await ask(gate)
  expect(existsSync(started) ? readFileSync(started, 'utf8').trim().split('\n') : []).toEqual(['nvidia-smi'])
})

test('A69 what everybody is told of the machine', async () => {
  const response = await ask(gate)
  expect(response.status).toBe(200)
  const { success, data } = (await response.json()) as Recommendations
  expect(success).toBe(true)
  expect(data.hardware).toEqual({
    cpu_cores: expect.any(Number),
    cpu_model: expect.any(String),
    total_ram_gb: expect.any(Number),
    gpu_detected: true,
    gpu_name: expect.any(String),
    gpu_vram_gb: expect.any(Number),
    detection_method: expect.any(String),
  } as never)
  expect(data.hardware_group).toBeString()
  const { recommendations: models } = data
  for (const model of models) {
    expect(model).toMatchObject({
      name: expect.any(String),
      description: expect.any(String),
      quantized: expect.any(Boolean),
      ollama_command: `ollama pull ${model.ollama_name}`,
      use_cases: expect.any(Array),
    })
  }
  const priorities = models.map(({ priority }) => priority)
  expect(priorities.length).toBeGreaterThan(1)
  expect(priorities).toEqual(priorities.toSorted((a, b) => a - b))
  expect(new Set(priorities).size).toBe(priorities.length)
})

test('A70 a card of 12288 MiB', async () => {
  const { hardware, hardware_group, recommendations } = await recommended(gate)
  expect(hardware).toMatchObject({ detection_method: 'nvidia-smi', gpu_vram_gb: 12 })
  expect(hardware_group).toBe('gpu_8_16gb_vram')
  const fitting = group.filter(({ min_ram_gb: needed }) => needed <= hardware.total_ram_gb)
  expect(recommendations).toMatchObject(fitting)
  expect(recommendations).toHaveLength(fitting.length)
})

describe('A72 nothing is recommended that does not fit', () => {
  const expectFitting = (recommendations: readonly Model[], ram: number, vram: number) =>
    expect(recommendations.filter(model => model.min_ram_gb > ram || model.min_vram_gb > vram)).toEqual([])

  const onCard = (name: string, mebibytes: number) => ({ PATH: toolsThatSay(`NVIDIA ${name}, ${mebibytes}, 550.54.14`) })

  test('on a card of 2048 MiB', async () => {
    await using small = await openGate({ env: onCard('GeForce GT 1030', 2048) })
    const { hardware, hardware_group, recommendations } = await recommended(small)
    expect(hardware).toMatchObject({ gpu_detected: true, gpu_vram_gb: 2 })
    expect(hardware_group).not.toStartWith('gpu')
    expectFitting(recommendations, hardware.total_ram_gb, 2)
  })

  // the group of such cards has a model that needs 20 GB
  test('on a card of 16384 MiB', async () => {
    await using middle = await openGate({ env: onCard('RTX A4000', 16_384) })
    const { hardware, hardware_group, recommendations } = await recommended(middle)
    expect(hardware_group).toBe('gpu_16_24gb_vram')
    expectFitting(recommendations, hardware.total_ram_gb, 16)
  })

  test.skipIf(!canConfine()).each([8, 4])('in %d GB of memory', async gigabytes => {
    await using small = await confinedTo(gigabytes * 1024 ** 3, onCard('GeForce GT 1030', 2048))
    const { hardware, recommendations } = await recommended(small)
    expect(hardware.total_ram_gb).toBe(gigabytes)
    expect(recommendations.length).toBeGreaterThan(0)
    expectFitting(recommendations, gigabytes, 2)
  })
})
