import type { GatewayError } from 'gatehouse'

/** What models were found to be unable to do. They tell by refusing. */
export interface Abilities {
  /** False when it refused tools lately. */
  takesTools(model: string): boolean
  sees(model: string): boolean
  refusedTools(error: GatewayError): boolean
  refusedPictures(error: GatewayError): boolean
  notTools(model: string): void
  notSeeing(model: string): void
}

/** So long a refusal is believed; a model server may be started again with other settings. */
const believedMs = 5 * 60_000
const mostModels = 1000

/** In the words of Ollama, llama-server, vLLM, OpenAI, OpenRouter. */
const aboutTools =
  /does(?: not|n't) support (?:the use of )?(?:tools?\b|tool[- _](?:use|call|choice)|function)|\btools?['"`]?(?: param(?:eter)?)? (?:is|are) not supported|tools param requires|tool choice requires|support tool use/i
const aboutPictures = /image|vision|multi-?modal|mmproj|content (?:type|part)/i

/** Nothing is known yet. */
export function createAbilities(now: () => number = Date.now): Abilities {
  const remember = () => {
    const until = new Map<string, number>()
    return {
      holds: (model: string) => (until.get(model) ?? 0) > now(),
      set(model: string) {
        until.delete(model)
        if (until.size >= mostModels) until.delete(until.keys().next().value as string)
        until.set(model, now() + believedMs)
      },
    }
  }
  const toolless = remember()
  const blind = remember()
  return {
    takesTools: model => !toolless.holds(model),
    sees: model => !blind.holds(model),
    // llama-server says it with a 500, which is our 502
    refusedTools: ({ status, message }) => (status === 400 || status === 422 || status >= 500) && aboutTools.test(message),
    refusedPictures: ({ status, message }) => (status === 400 || status === 422 || status >= 500) && aboutPictures.test(message),
    notTools: toolless.set,
    notSeeing: blind.set,
  }
}
