/** A line of the log. */
export type Line = Readonly<Record<string, unknown>>

/** An error as every route has it. */
export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly code: string | null; readonly request_id: string }
}

/** What the rows look at in the answer to a chat. */
export interface ChatAnswer {
  readonly id: string
  readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[]
}

/** What the rows look at in an event of a streamed chat. */
export interface ChatChunk {
  readonly id: string
  readonly object: string
  readonly choices: readonly {
    readonly delta: { readonly role?: string; readonly content?: string }
    readonly finish_reason: string | null
  }[]
  readonly usage?: object | null
}

/** The text of a chat request; without `messages` of its own it is equal to no other. */
export const chatBody = (body: object = {}): string =>
  JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: crypto.randomUUID() }], ...body })

/** The whole lines of a log. */
export const jsonLines = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

/** The blocks of an event stream, which end with an empty line each. */
export const blocksOf = (text: string): string[] => text.split('\n\n').slice(0, -1)

/** What the blocks of a chat's stream say, without the last one, `[DONE]`. */
export const chunksOf = (text: string): ChatChunk[] =>
  blocksOf(text)
    .slice(0, -1)
    .map(block => JSON.parse(block.slice('data: '.length)))
