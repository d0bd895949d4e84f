import { isMapping } from '../tree.ts'
import type { Rules, Take } from './rules.ts'

/** The addresses in the file that came with it. Both need a key, which ModelGate kept in its database. */
const examples = ['https://api.openai.com/v1', 'https://api.ai.gov/v1']

const adapter = (type: string): Rules => ({
  base_url(value, spot) {
    if (examples.includes(String(value).replace(/\/+$/, ''))) {
      return spot.warn(`is not taken over, because it needs a key; write backends.${type} with an api_key in gatehouse.yaml`)
    }
    spot.put(['backends', type, 'type'], type)
    spot.put(['backends', type, 'base_url'], value)
  },
  fallback_urls(value, spot) {
    if (!Array.isArray(value) || value.length > 0) spot.warn('is not taken over; write a model with several targets in gatehouse.yaml')
  },
})

/** One address for each kind of backend. */
export const adapters: Rules = Object.fromEntries(['ollama', 'vllm', 'llamacpp', 'openai', 'api3'].map(type => [type, adapter(type)]))

/** The list that its first version had instead. */
export const firstBackends: Take = (value, spot) => {
  if (!Array.isArray(value)) return spot.complain('must be a list of { type, url }')
  const names = new Set<string>()
  for (const [index, entry] of value.entries()) {
    const { type, url } = isMapping(entry) ? entry : {}
    const kind = type === 'llama.cpp' ? 'llamacpp' : String(type)
    let name = kind
    for (let count = 2; names.has(name); count++) name = `${kind}-${count}`
    names.add(name)
    spot.at([index, 'type']).put(['backends', name, 'type'], kind)
    spot.at([index, 'url']).put(['backends', name, 'base_url'], url)
  }
}
