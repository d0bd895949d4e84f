import type { Message, Payload } from 'gatehouse'

/** What requests have in common that should go to the same target. */
export interface Affinity {
  /** Of all that a request begins with, the shortest part first; each hash stands for what came before it too. */
  readonly hashes: readonly bigint[]
  /** Which of them decides where the first request goes; what is shorter than that many have in common. */
  readonly home: number
}

/** A prompt that is one text is cut into pieces of so many characters. */
const pieceLength = 1024
/** About 2000 tokens. Conversations that begin with as much of the same go to the same target; less is quickly read again. */
const worthSharing = 8192

/** Where a request may say which others it belongs to, beside its header. */
const names = ['prompt_cache_key', 'user']

/** By the first that is there: the header of the session, a name in the request, the prompt. */
export function affinityOf(
  model: string,
  { headers, payload }: { readonly headers: Headers; readonly payload: Readonly<Payload> },
  sessionHeader: string,
): Affinity | undefined {
  for (const name of [headers.get(sessionHeader), ...names.map(field => payload[field])]) {
    if (typeof name === 'string' && name !== '') return affinityOfName(model, name)
  }
  return affinityOfPrompt(model, payload)
}

/** What a session has in common: its name. */
export const affinityOfName = (model: string, name: string): Affinity => ({
  hashes: [Bun.hash.xxHash64(name, seedOf(model, 'name'))],
  home: 0,
})

/**
 * What the prompt begins with, message by message: a conversation that goes on begins with all that was said in it before, which
 * the target that has answered still has in its KV cache. Undefined for requests without a prompt. Tools are left out: they
 * hardly ever differ where the messages are the same, and writing them as text would cost more than the rest.
 */
export function affinityOfPrompt(model: string, payload: Readonly<Payload>): Affinity | undefined {
  const { messages, system, instructions, input, prompt } = payload
  const list = messages ?? (Array.isArray(input) ? (input as readonly Message[]) : undefined)
  if (Array.isArray(list)) return ofMessages(seedOf(model, 'chat'), system ?? instructions, list)
  const text = typeof prompt === 'string' ? prompt : input
  return typeof text === 'string' ? ofText(seedOf(model, 'text'), text) : undefined
}

function ofMessages(seed: bigint, above: unknown, messages: readonly unknown[]): Affinity | undefined {
  const hashes: bigint[] = []
  let sum: Sum = { hash: seed, length: 0 }
  let home: number | undefined
  const add = (role: unknown, content: unknown, calls?: unknown) => {
    // the first question makes a conversation what it is, unless there is much before it
    if (role === 'user') home ??= sum.length >= worthSharing ? hashes.length - 1 : hashes.length
    sum = withContent(withText(sum, typeof role === 'string' ? role : ''), content)
    if (calls) sum = withText(sum, JSON.stringify(calls))
    hashes.push(sum.hash)
  }
  if (above) add('system', above)
  for (const message of messages) {
    const { role, content, tool_calls: calls } = (message ?? {}) as Partial<Message>
    add(role, content, calls)
  }
  return hashes.length === 0 ? undefined : { hashes, home: home ?? hashes.length - 1 }
}

/** Only whole pieces: the last one changes when the text grows. */
function ofText(seed: bigint, text: string): Affinity {
  const hashes: bigint[] = []
  for (let at = 0; at + pieceLength <= text.length; at += pieceLength) {
    hashes.push(Bun.hash.xxHash64(text.slice(at, at + pieceLength), hashes.at(-1) ?? seed))
  }
  return { hashes: hashes.length > 0 ? hashes : [Bun.hash.xxHash64(text, seed)], home: 0 }
}

interface Sum {
  readonly hash: bigint
  readonly length: number
}

const withText = ({ hash, length }: Sum, text: string): Sum => ({ hash: Bun.hash.xxHash64(text, hash), length: length + text.length })

function withContent(sum: Sum, content: unknown): Sum {
  if (typeof content === 'string') return withText(sum, content)
  if (content === null || content === undefined) return sum
  if (!Array.isArray(content)) return withText(sum, JSON.stringify(content))
  return content.reduce<Sum>((before, part) => withText(before, textOf(part)), sum)
}

/** Of a picture its URL or its bytes as they are: writing them as JSON would copy them. */
function textOf(part: unknown): string {
  if (typeof part === 'string') return part
  const { text, image_url: image } = (part ?? {}) as { readonly text?: unknown; readonly image_url?: { readonly url?: unknown } }
  if (typeof text === 'string') return text
  return typeof image?.url === 'string' ? image.url : (JSON.stringify(part) ?? '')
}

const seedOf = (model: string, kind: string): bigint => Bun.hash.xxHash64(`${kind} ${model}`)
