import { type KnownModel, models } from './models.ts'

/** A model in a group, and what it needs there. In GB. */
export interface Choice {
  readonly model: KnownModel
  readonly minRam: number
  readonly minVram: number
  /** Larger than the card: a part runs on the processor, so it needs both memories together. */
  readonly spills: boolean
}

/** Machines of one kind, and the models for them, the best first. */
export interface Group {
  readonly id: string
  readonly on: 'ram' | 'vram'
  /** The smallest size; the group goes up to the next one's. */
  readonly from: number
  readonly choices: readonly Choice[]
}

const choice = (name: keyof typeof models, minRam: number, minVram = 0, spills = false): Choice => ({
  model: models[name],
  minRam,
  minVram,
  spills,
})

const upTo32: readonly Choice[] = [
  choice('llama11b', 16, 16),
  choice('gemma12b', 16, 16),
  choice('qwen14b', 16, 16),
  choice('llama33', 40, 20, true),
]

/** LlamaGate's groups and choices, from small to large: first by memory, then by graphics memory. */
export const groups: readonly Group[] = [
  { id: 'cpu_only_16_32gb', on: 'ram', from: 16, choices: [choice('llama3b', 6), choice('qwen1b', 4), choice('phi3mini', 6)] },
  { id: 'cpu_only_32_64gb', on: 'ram', from: 32, choices: [choice('mistral7b', 8), choice('llama3b', 6), choice('qwen7b', 8)] },
  { id: 'cpu_only_64gb_plus', on: 'ram', from: 64, choices: [choice('llama11b', 16), choice('qwen14b', 20), choice('gemma12b', 20)] },
  { id: 'gpu_4_8gb_vram', on: 'vram', from: 4, choices: [choice('llama3b', 6, 6), choice('mistral7b', 8, 8), choice('qwen7b', 8, 8)] },
  {
    id: 'gpu_8_16gb_vram',
    on: 'vram',
    from: 8,
    choices: [choice('mistral7b', 8, 8), choice('llama11b', 12, 12), choice('qwen7b', 8, 8), choice('gemma12b', 12, 12)],
  },
  { id: 'gpu_16_24gb_vram', on: 'vram', from: 16, choices: upTo32 },
  { id: 'gpu_24_32gb_vram', on: 'vram', from: 24, choices: upTo32 },
  {
    id: 'gpu_32gb_plus_vram',
    on: 'vram',
    from: 32,
    choices: [choice('llama33', 64, 48), choice('qwen72b', 64, 48), choice('llama31', 64, 48)],
  },
]
