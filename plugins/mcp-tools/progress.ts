import type { ToolProgress } from './tool-house.ts'

/** Comments of a stream about the tools that run, for clients that asked for them. */
export interface Progress {
  /** A tool begins. */
  begin(tool: string): { readonly progress: (progress: ToolProgress) => void; readonly end: () => void }
  /** The next comments, until the work is over. */
  during(work: Promise<unknown>): AsyncGenerator<Uint8Array, void, void>
}

/** At most one comment in so many milliseconds. */
const everyMs = 1000

/** Longer words of a server are cut. */
const longestMessage = 200

/** `: progress {"state":"tools","tools":[{"name":"mcp.files.read","progress":3,"total":10}]}` */
export function createProgress(): Progress {
  const running = new Set<{ name: string; latest: ToolProgress | undefined }>()
  let changed = Promise.withResolvers<void>()
  let toldAt = Number.NEGATIVE_INFINITY
  const change = () => changed.resolve()

  const comment = (): Uint8Array => {
    const tools = [...running].map(({ name, latest }) => ({
      name,
      ...(latest && { progress: latest.progress }),
      ...(latest?.total !== undefined && { total: latest.total }),
      ...(latest?.message !== undefined && { message: latest.message.slice(0, longestMessage) }),
    }))
    return encoder.encode(`: progress ${JSON.stringify({ state: 'tools', tools })}\n\n`)
  }

  return {
    begin(name) {
      const entry = { name, latest: undefined as ToolProgress | undefined }
      running.add(entry)
      change()
      return {
        progress(latest) {
          entry.latest = latest
          change()
        },
        end() {
          running.delete(entry)
        },
      }
    },
    async *during(work) {
      let over = false
      const done = settled(work).then(() => {
        over = true
      })
      while (!over) {
        await Promise.race([changed.promise, done])
        if (over) return
        const due = toldAt + everyMs - performance.now()
        if (due > 0) await within(due, done)
        if (over) return
        changed = Promise.withResolvers<void>()
        toldAt = performance.now()
        if (running.size > 0) yield comment()
      }
    },
  }
}

const encoder = new TextEncoder()

const settled = (work: Promise<unknown>): Promise<void> => work.then(nothing, nothing)
const nothing = () => {}

/** Waits, but not longer than for the work. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([work, late.promise])
  clearTimeout(timer)
}
