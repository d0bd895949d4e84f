import type { ToolCall } from '../../openai.ts'
import type { OllamaToolCall } from './answer.ts'

/** A call the model made, as OpenAI has it. Older Ollamas give no id; without one a result could not be matched to it. */
export function toToolCall({ id, function: { name, arguments: given } }: OllamaToolCall, newId: () => string): ToolCall {
  return { id: id || `call_${newId()}`, type: 'function', function: { name, arguments: JSON.stringify(given ?? {}) } }
}
