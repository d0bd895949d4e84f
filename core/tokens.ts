import type { Backend } from './backends/backend.ts'
import type { TextCount, Tokens, Workers } from './gateway.ts'
import { isObject } from './http/json-object.ts'
import type { Logger } from './log.ts'
import type { Target } from './models.ts'
import type { Message, Operation, Payload } from './openai.ts'
import { boundTokens } from './tokens/bound.ts'
import { type Family, familyOf, isOpenaiOwn } from './tokens/families.ts'
import { mediaTokens, withoutMedia } from './tokens/media.ts'
import { type Prompt, readPrompt } from './tokens/prompt.ts'

export interface TokensOptions {
  readonly backends: ReadonlyMap<string, Backend>
  readonly workers: Pick<Workers, 'countTokens'>
  readonly log: Pick<Logger, 'debug'>
  /** How long a backend may take to count. */
  readonly timeoutMs?: number
}

/** Counts tokens: by the backend where it can tell, else by the nearest tokenizer, else by length. */
export function createTokens({ backends, workers, log, timeoutMs = 5000 }: TokensOptions): Tokens {
  /** What the backend says, or undefined when it cannot tell now. */
  async function askBackend(backend: Backend, payload: Payload, operation: Operation, model: string, signal: AbortSignal) {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    try {
      return await backend.tokenize?.({ operation, model, payload, signal: bounded })
    } catch (err) {
      signal.throwIfAborted()
      log.debug({ backend: backend.name, err }, 'The backend could not count tokens')
      return undefined
    }
  }

  return {
    bound: (payload, operation, model) =>
      boundTokens(
        payload,
        operation,
        model?.targets.map(({ model }) => model),
      ),
    async count(given, operation, { targets: [target] }, signal) {
      const payload = target ? asSent(given, target) : given
      const model = target?.model ?? given.model
      const backend = target && backends.get(target.backend)
      const family = familyOf(model)
      const prompt = readPrompt(payload, operation, family)
      const media = prompt.media.reduce((sum, part) => sum + mediaTokens(part, family), 0)

      const told = backend && (await askBackend(backend, textOnly(payload), operation, model, signal))
      if (told !== undefined) return { tokens: told + media, exact: prompt.media.length === 0, method: 'backend' }

      const counted = await workers.countTokens(prompt.texts, family.encoding, signal)
      return {
        ...counted,
        ...judge(prompt, counted, family, backend),
        tokens: Math.ceil(counted.tokens * family.factor) + prompt.tokens + media,
      }
    },
  }
}

/** The request as the target gets it. */
function asSent(payload: Readonly<Payload>, { set, strip }: Target): Payload {
  const sent: Record<string, unknown> = { ...payload, ...set }
  for (const field of strip) delete sent[field]
  return sent as Payload
}

/** Without pictures and sound, which are counted by rule, and may be large. */
function textOnly(payload: Payload): Payload {
  const { messages } = payload
  if (!Array.isArray(messages)) return payload
  const stripped = messages.map(message => (isObject(message) ? { ...message, content: withoutMedia(message.content) } : message))
  return { ...payload, messages: stripped as Message[] }
}

/** A count is exact only for OpenAI's own models at a server that can have them: the names are free to take elsewhere. */
function judge(prompt: Prompt, { exact }: TextCount, family: Family, backend: Backend | undefined): Pick<TextCount, 'exact'> {
  const own = isOpenaiOwn(family) && (backend?.type === 'openai' || backend?.type === 'openai-compatible')
  return { exact: exact && own && !prompt.guessed && prompt.media.length === 0 }
}
