import { expect, describe as group, test } from 'bun:test'
import type { Machine } from '../hardware/detect.ts'
import { groups } from './groups.ts'
import { recommend } from './recommend.ts'
import { describe } from './route.ts'

const gib = 1024 ** 3

const machine = (ramGib: number, cardsMib: readonly number[] = [], unified = false, limited = false): Machine => ({
  cores: 8,
  cpuModel: 'Test CPU',
  cpuMhz: 0,
  memory: { totalBytes: Math.floor(ramGib * gib), limited },
  gpu: {
    method: cardsMib.length > 0 ? 'nvidia-smi' : 'none',
    gpus: cardsMib.map(mebibytes => ({ name: 'Card', vramBytes: mebibytes * 1024 ** 2, ...(unified && { unified: true }) })),
  },
})

const tags = (found: Machine) => describe(found).recommendations.map(({ ollama_name }) => ollama_name)

group('the group', () => {
  test.each([
    ['8 GB of memory', machine(7.7), 'below_minimum'],
    ['a "16 GB" PC', machine(15.4), 'cpu_only_16_32gb'],
    ['a "32 GB" PC', machine(31.2), 'cpu_only_32_64gb'],
    ['a "64 GB" server', machine(62.6), 'cpu_only_64gb_plus'],
    ['a container that may use 15.9 GiB of it', machine(15.9, [], false, true), 'below_minimum'],
    ['a card of 2 GB', machine(15.4, [2048]), 'cpu_only_16_32gb'],
    ['a card of 4 GB', machine(31.2, [4096]), 'gpu_4_8gb_vram'],
    ['8188 MiB', machine(31.2, [8188]), 'gpu_8_16gb_vram'],
    ['12288 MiB', machine(31.2, [12288]), 'gpu_8_16gb_vram'],
    ['16376 MiB', machine(31.2, [16376]), 'gpu_16_24gb_vram'],
    ['24564 MiB', machine(62.6, [24564]), 'gpu_24_32gb_vram'],
    ['two of 24564 MiB', machine(62.6, [24564, 24564]), 'gpu_32gb_plus_vram'],
    ['two of 8188 MiB', machine(62.6, [8188, 8188]), 'gpu_16_24gb_vram'],
    ['an Apple of 64 GB', machine(64, [0], true), 'gpu_32gb_plus_vram'],
    ['an Apple of 8 GB', machine(8, [0], true), 'gpu_4_8gb_vram'],
  ])('%s', (_, found, expected) => {
    expect(describe(found).hardware_group).toBe(expected)
  })
})

group('the models', () => {
  test.each([
    ['the whole group', machine(62.6, [24564]), ['llama3.2-vision:11b', 'gemma3:12b', 'qwen2.5:14b', 'llama3.3:70b']],
    ['without what the memory is too small for', machine(31.2, [24564]), ['llama3.2-vision:11b', 'gemma3:12b', 'qwen2.5:14b']],
    ['filled up from the groups below', machine(31.2, [8188]), ['mistral', 'qwen2.5:7b', 'llama3.2:3b']],
    ['a card too small for all of its group', machine(15.4, [4096]), ['llama3.2:3b', 'qwen2.5:1.5b', 'phi3:mini']],
    ['between 32 and 48 GB', machine(62.6, [32607]), ['llama3.2-vision:11b', 'gemma3:12b', 'qwen2.5:14b']],
    ['a small PC', machine(7.7), ['llama3.2:3b', 'qwen2.5:1.5b', 'phi3:mini']],
    ['a Raspberry Pi of 4 GB', machine(3.8), ['qwen2.5:1.5b']],
    ['a Raspberry Pi of 2 GB', machine(1.9), []],
    ['a large card in a machine of 4 GB', machine(3.9, [24564]), ['qwen2.5:1.5b']],
    [
      'an Apple of 48 GB, where a model cannot have both memories',
      machine(48, [0], true),
      ['llama3.2-vision:11b', 'gemma3:12b', 'qwen2.5:14b'],
    ],
    ['an Apple of 64 GB', machine(64, [0], true), ['llama3.3:70b', 'qwen2.5:72b', 'llama3.1:70b']],
  ])('%s', (_, found, expected) => {
    expect(tags(found)).toEqual(expected)
  })
})

test('whatever the machine: nothing exceeds it, nothing twice, priorities rise, and the largest that fits is not missing', () => {
  const random = lcg(20260122)
  for (let i = 0; i < 20_000; i++) {
    const unified = random() < 0.2
    const cards = unified ? [0] : Array.from({ length: Math.floor(random() * 5) }, () => Math.floor(random() ** 2 * 200_000))
    const found = machine(random() ** 3 * 600 + 0.3, cards, unified, random() < 0.3)
    const { hardware, recommendations, hardware_group } = describe(found)
    const vramGib = unified ? (found.memory.totalBytes / gib) * 0.75 : cards.reduce((sum, mebibytes) => sum + mebibytes / 1024, 0)
    for (const model of recommendations) {
      expect(model.min_ram_gb).toBeLessThanOrEqual(hardware.total_ram_gb)
      expect(model.min_vram_gb).toBeLessThanOrEqual(hardware.gpu_vram_gb)
      // and of what is really there, no more than the 7 % that sellers count in
      expect(model.min_ram_gb * (found.memory.limited ? 1 : 0.93)).toBeLessThanOrEqual(found.memory.totalBytes / gib)
      expect(model.min_vram_gb * 0.93).toBeLessThanOrEqual(vramGib)
    }
    expect(new Set(recommendations.map(({ ollama_name }) => ollama_name)).size).toBe(recommendations.length)
    expect(recommendations.map(({ priority }) => priority)).toEqual(recommendations.map((_, index) => index + 1))
    expect(recommendations.length).toBeLessThanOrEqual(4)
    if (hardware.total_ram_gb >= 6) expect(recommendations.length).toBeGreaterThanOrEqual(hardware_group === 'below_minimum' ? 2 : 3)
  }
})

test('a model that runs on the card and the processor needs both memories', () => {
  const has = (ram: number, vram: number, unified = false) =>
    recommend({ ram, vram, unified }).choices.some(({ model }) => model.tag === 'llama3.3:70b')
  expect([has(40, 24), has(39, 24), has(64, 24, true), has(40, 30, true), has(64, 48, true)]).toEqual([true, false, true, false, true])
})

test('the data is as it was, with tags that Ollama has', () => {
  expect(groups.map(({ id, choices }) => [id, choices.length])).toEqual([
    ['cpu_only_16_32gb', 3],
    ['cpu_only_32_64gb', 3],
    ['cpu_only_64gb_plus', 3],
    ['gpu_4_8gb_vram', 3],
    ['gpu_8_16gb_vram', 4],
    ['gpu_16_24gb_vram', 4],
    ['gpu_24_32gb_vram', 4],
    ['gpu_32gb_plus_vram', 3],
  ])
  const names = groups.flatMap(({ choices }) => choices.map(({ model }) => model.tag))
  expect(names).not.toContain('llama3.2:11b')
})

/** Random numbers that are the same in every run. */
function lcg(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
