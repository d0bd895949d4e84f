import type { HouseTool, ResourceContent, ToolHouse, ToolRequest, ToolResult } from '../tool-house.ts'

/** A house of tools that a test watches. */
export interface FakeTools extends ToolHouse {
  readonly calls: ToolRequest[]
  readonly reads: string[]
  /** How often somebody asked for the list. */
  readonly listed: () => number
  /** The most calls that ran at the same time. */
  readonly most: () => number
  /** Lets `hold` and `late` go on. */
  release(): void
  /** Other tools from now on. */
  offer(tools: readonly HouseTool[]): void
}

const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
const plain = { type: 'object', properties: {} }
const pixel = 'iVBORw0KGgo='

const tool = (server: string, name: string, inputSchema: unknown = plain): HouseTool => ({
  server,
  name,
  description: `The ${name} tool`,
  inputSchema,
})

/** `echo`, alone on its server. */
export const echoOnly: readonly HouseTool[] = [tool('fake', 'echo', text)]

/** One of each kind, on one server. */
export const allKinds: readonly HouseTool[] = [
  ...['boom', 'cut', 'fail', 'hold', 'img', 'never', 'odd.name/x', 'result', 'steps'].map(name => tool('fake', name)),
  tool('fake', 'echo', text),
]

/** What each tool gives back; the others fail. */
async function answer({ tool, args, signal, onProgress }: ToolRequest, released: () => Promise<void>): Promise<ToolResult> {
  switch (tool) {
    case 'echo':
      return { content: [{ type: 'text', text: `ALPHA ${args.text}` }] }
    case 'fail':
      return { content: [{ type: 'text', text: 'no "such" thing\n' }], isError: true }
    case 'boom':
      throw new Error('the server "crashed"')
    case 'img':
      return {
        content: [
          { type: 'text', text: 'a picture' },
          { type: 'image', mimeType: 'image/png', data: pixel },
          { type: 'audio', mimeType: 'audio/wav', data: pixel },
          { type: 'resource_link', uri: 'file:///b.txt', name: 'b' },
          { type: 'resource', resource: { uri: 'file:///a.txt', text: 'INSIDE' } },
        ],
      }
    case 'cut':
      return { content: [{ type: 'text', text: 'é'.repeat(1000) }] }
    case 'result':
      return { structuredContent: { answer: 42 } }
    case 'hold':
      await Promise.race([
        released(),
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
      ])
      return { content: [{ type: 'text', text: 'held' }] }
    case 'steps':
      onProgress?.({ progress: 1, total: 2, message: 'half\nway' })
      await released()
      return { content: [{ type: 'text', text: 'stepped' }] }
    case 'never':
      return new Promise(() => {}) // whatever its signal says
    default:
      return { content: [{ type: 'text', text: `${tool} ran` }] }
  }
}

/** Opens one. Resources are `a.txt`, `late.txt` and `big.txt` on `web`. */
export function fakeTools(tools: readonly HouseTool[] = echoOnly): FakeTools {
  let offered = tools
  let gate = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  let listed = 0
  const calls: ToolRequest[] = []
  const reads: string[] = []
  return {
    calls,
    reads,
    listed: () => listed,
    most: () => most,
    release() {
      gate.resolve()
      gate = Promise.withResolvers<void>()
    },
    offer(tools) {
      offered = tools
    },
    tools() {
      listed++
      return offered
    },
    async call(request) {
      calls.push(request)
      most = Math.max(most, ++running)
      try {
        return await answer(request, () => gate.promise)
      } finally {
        running--
      }
    },
    async readResource(server, uri): Promise<readonly ResourceContent[]> {
      reads.push(`${server} ${uri}`)
      if (server !== 'web') throw new Error(`there is no server ${server}`)
      if (uri === 'file:///a.txt')
        return [
          { uri, text: 'ALPHA' },
          { uri, mimeType: 'image/png', blob: pixel },
        ]
      if (uri === 'file:///big.txt') return [{ uri, text: 'é'.repeat(1000) }]
      if (uri === 'file:///late.txt') await new Promise(() => {})
      throw new Error('no such file')
    },
  }
}
