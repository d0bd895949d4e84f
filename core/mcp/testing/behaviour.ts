/** What a fake MCP server needs from the way it is reached. */
export interface Wire {
  send(message: object): void
  /** Something that only one kind of server can do: `crash`, `garbage` … */
  readonly tricks: Readonly<Record<string, (answer: (text: string) => void) => void>>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly name?: string
    readonly arguments?: Record<string, unknown>
    readonly cursor?: string
    readonly uri?: string
    readonly _meta?: { readonly progressToken?: unknown }
  }
}

/** The tools of a fake server, of which some come and go. */
export interface Fake {
  handle(message: Message): void
}

const pageSize = 2

/** A fake MCP server whose tools do what their names say. It speaks plain JSON-RPC: nothing of the SDK is in it. */
export function createFake({ send, tricks }: Wire): Fake {
  let extra = 0
  const seen: string[] = []
  const cancelled: unknown[] = []
  const reply = (id: unknown, result: object) => send({ jsonrpc: '2.0', id, result })
  const fail = (id: unknown, code: number, message: string) => send({ jsonrpc: '2.0', id, error: { code, message } })
  const notify = (method: string, params?: object) => send({ jsonrpc: '2.0', method, ...(params && { params }) })
  const text = (id: unknown, value: string, isError = false) =>
    reply(id, { content: [{ type: 'text', text: value }], ...(isError && { isError }) })

  const tools: Readonly<Record<string, (id: number, args: Record<string, unknown>, token: unknown) => unknown>> = {
    echo: (id, { text: value }) => text(id, String(value)),
    sleep: (id, { ms }) => void setTimeout(() => text(id, 'slept'), Number(ms)),
    // says that it has it, and nothing more
    silent: (_, __, progressToken) => progressToken !== undefined && notify('notifications/progress', { progressToken, progress: 0 }),
    fails: id => text(id, 'it does not work', true),
    refuses: id => fail(id, -32602, 'wrong arguments'),
    big: (id, { size }) => text(id, 'x'.repeat(Number(size))),
    'wrong-id': id => text(id + 1_000_000, 'for somebody else'),
    'no-result': id => send({ jsonrpc: '2.0', id, result: { content: 'not a list' } }),
    burst: (id, { count }) => {
      for (let i = 0; i < Number(count); i++)
        notify(i % 2 ? 'notifications/message' : 'notifications/progress', { level: 'info', data: i, progressToken: 'none', progress: i })
      text(id, 'done')
    },
    progress: (id, _, progressToken) => {
      for (const progress of [1, 2]) notify('notifications/progress', { progressToken, progress, total: 2, message: `step ${progress}` })
      text(id, 'done')
    },
    'add-tool': id => {
      extra++
      for (let i = 0; i < 500; i++) notify('notifications/tools/list_changed')
      text(id, 'added')
    },
    seen: id => text(id, JSON.stringify({ seen, cancelled })),
    env: id => text(id, JSON.stringify(process.env)),
  }
  const names = () => [...Object.keys(tools), ...Object.keys(tricks), ...Array.from({ length: extra }, (_, i) => `extra-${i}`)]

  return {
    handle({ id, method = '', params = {} }) {
      seen.push(method)
      if (method === 'notifications/cancelled') cancelled.push(params)
      if (id === undefined) return
      if (method === 'initialize') {
        const capabilities = { tools: { listChanged: true }, resources: {}, prompts: {} }
        return reply(id, { protocolVersion: '2025-06-18', capabilities, serverInfo: { name: 'fake', version: '1' } })
      }
      if (method === 'ping') return reply(id, {})
      if (method === 'tools/list') {
        const from = Number(params.cursor ?? 0)
        const page = names().slice(from, from + pageSize)
        const nextCursor = from + pageSize < names().length ? String(from + pageSize) : undefined
        // one that is no tool: the others must stay
        const invalid = from === 0 ? [{ description: 'has no name' }] : []
        return reply(id, {
          tools: [...page.map(name => ({ name, inputSchema: { type: 'object' } })), ...invalid],
          ...(nextCursor && { nextCursor }),
        })
      }
      if (method === 'resources/list') return reply(id, { resources: [{ uri: 'file:///a.txt', name: 'a' }] })
      if (method === 'resources/read') return reply(id, { contents: [{ uri: params.uri, text: 'ALPHA' }] })
      if (method === 'prompts/list') return reply(id, { prompts: [{ name: 'sum', arguments: [{ name: 'text' }] }] })
      if (method === 'prompts/get') {
        return reply(id, { messages: [{ role: 'user', content: { type: 'text', text: `Sum up: ${params.arguments?.text}` } }] })
      }
      const { name = '', arguments: args = {} } = params
      const trick = tricks[name]
      if (method === 'tools/call' && trick) return trick(value => text(id, value))
      const tool = tools[name]
      if (method === 'tools/call' && tool) return tool(id, args, params._meta?.progressToken)
      fail(id, -32601, `no ${method} here`)
    },
  }
}
