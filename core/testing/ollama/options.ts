const integers = [
  'num_keep',
  'seed',
  'num_predict',
  'top_k',
  'repeat_last_n',
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'draft_num_predict',
]
const floats = ['top_p', 'min_p', 'typical_p', 'temperature', 'repeat_penalty', 'presence_penalty', 'frequency_penalty']

/**
 * Says what Ollama says about a wrongly typed option, or undefined. Unknown options only make a line in its log.
 * From ollama/ollama api/types.go, Options.FromMap.
 */
export function checkOptions(options: unknown): string | undefined {
  for (const [name, value] of Object.entries(options ?? {})) {
    const fault = value === null ? undefined : faultOf(name, value)
    if (fault !== undefined) return `option "${name}" must be of ${fault}`
  }
  return undefined
}

/** The options Ollama knows, with what was asked for. */
export function knownOptions(options: unknown): Record<string, unknown> {
  const known = [...integers, ...floats, 'stop', 'use_mmap']
  return Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => known.includes(name)))
}

function faultOf(name: string, value: unknown): string | undefined {
  if (integers.includes(name) && typeof value !== 'number') return 'type integer'
  if (floats.includes(name) && typeof value !== 'number') return 'type float32'
  if (name === 'use_mmap' && typeof value !== 'boolean') return 'type boolean'
  if (name !== 'stop') return undefined
  if (!Array.isArray(value)) return 'type array'
  return value.every(item => typeof item === 'string') ? undefined : 'an array of strings'
}
