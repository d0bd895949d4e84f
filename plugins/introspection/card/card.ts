import type { Context, MaybePromise, Message } from 'gatehouse'

/** Puts the card in front of a chat. */
export interface Card {
  /** Only chats take a system message. */
  isFor(ctx: Context): boolean
  /** The card of this request, the same every time it is asked for; empty when there is none. */
  text(ctx: Context): MaybePromise<string>
  /** Adds it once, however often the rest of the pipeline runs for this request. */
  add(ctx: Context): Promise<void>
}

/** `write` makes the text of the card, once for each request. */
export function createCard(write: (ctx: Context) => Promise<string>): Card {
  const texts = new WeakMap<Context, Promise<string>>()
  const messages = new WeakMap<Context, Message>()
  const isFor = ({ operation }: Context) => operation === 'chat.completions'
  const textOf = (ctx: Context) => {
    if (!isFor(ctx)) return ''
    const known = texts.get(ctx)
    if (known) return known
    const text = write(ctx)
    texts.set(ctx, text)
    return text
  }
  return {
    isFor,
    text: textOf,
    async add(ctx) {
      const content = await textOf(ctx)
      if (content === '') return
      const given = ctx.payload.messages ?? []
      const mine = messages.get(ctx)
      if (mine && given.includes(mine)) return
      const message: Message = mine ?? { role: 'system', content }
      messages.set(ctx, message)
      ctx.rewrite({ messages: [message, ...given] })
    },
  }
}
