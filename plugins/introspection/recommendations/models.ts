/** A model that Ollama offers. The scores are artificialanalysis.ai's of 2026-01-22, as LlamaGate's list (2.0.0) had them. */
export interface KnownModel {
  readonly name: string
  /** As `ollama pull` takes it. What it brings is quantised to four bits. */
  readonly tag: string
  readonly score: number
  /** In thousand millions. */
  readonly parameters: number
  readonly description: string
  readonly useCases: readonly string[]
}

/** The models the groups choose from. LlamaGate called the vision model `llama3.2:11b`, which Ollama does not have. */
export const models = {
  llama3b: {
    name: 'Llama 3.2 3B',
    tag: 'llama3.2:3b',
    score: 10,
    parameters: 3,
    description: 'Small and quick; answers at reading speed even without a graphics card.',
    useCases: ['chat', 'summaries', 'small machines'],
  },
  qwen1b: {
    name: 'Qwen 2.5 1.5B',
    tag: 'qwen2.5:1.5b',
    score: 9,
    parameters: 1.5,
    description: 'The lightest of the list; speaks many languages.',
    useCases: ['several languages', 'classification', 'very small machines'],
  },
  phi3mini: {
    name: 'Phi-3 Mini 3.8B',
    tag: 'phi3:mini',
    score: 10,
    parameters: 3.8,
    description: 'Reasons well for its size.',
    useCases: ['chat', 'reasoning', 'small machines'],
  },
  mistral7b: {
    name: 'Mistral 7B',
    tag: 'mistral',
    score: 7,
    parameters: 7,
    description: 'A proven all-rounder with support in every tool.',
    useCases: ['chat', 'writing', 'instructions'],
  },
  qwen7b: {
    name: 'Qwen 2.5 7B',
    tag: 'qwen2.5:7b',
    score: 10,
    parameters: 7,
    description: 'Strong at code, mathematics and structured output for its size.',
    useCases: ['code', 'several languages', 'JSON output'],
  },
  llama11b: {
    name: 'Llama 3.2 11B',
    tag: 'llama3.2-vision:11b',
    score: 11,
    parameters: 11,
    description: 'Reads images as well as text.',
    useCases: ['images', 'documents', 'chat'],
  },
  qwen14b: {
    name: 'Qwen 2.5 14B',
    tag: 'qwen2.5:14b',
    score: 13,
    parameters: 14,
    description: 'The best of the middle sizes at code and reasoning.',
    useCases: ['code', 'reasoning', 'several languages'],
  },
  gemma12b: {
    name: 'Gemma 3 12B',
    tag: 'gemma3:12b',
    score: 9,
    parameters: 12.2,
    description: 'Reads images, takes long documents and speaks many languages.',
    useCases: ['images', 'long documents', 'several languages'],
  },
  llama33: {
    name: 'Llama 3.3 70B',
    tag: 'llama3.3:70b',
    score: 15,
    parameters: 70,
    description: 'A large model. It needs 43 GB: what does not fit on the card runs on the processor, slowly.',
    useCases: ['demanding questions', 'reasoning', 'tools'],
  },
  qwen72b: {
    name: 'Qwen 2.5 72B',
    tag: 'qwen2.5:72b',
    score: 16,
    parameters: 72,
    description: 'The highest score of the list.',
    useCases: ['demanding questions', 'code', 'several languages'],
  },
  llama31: {
    name: 'Llama 3.1 70B',
    tag: 'llama3.1:70b',
    score: 13,
    parameters: 70,
    description: 'The forerunner of Llama 3.3 with many fine-tuned descendants.',
    useCases: ['demanding questions', 'long documents', 'tools'],
  },
} satisfies Readonly<Record<string, KnownModel>>
