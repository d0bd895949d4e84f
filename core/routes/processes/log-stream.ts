import type { Context } from '../../context.ts'
import { streamHeaders } from '../../http/headers.ts'
import type { OutputBuffer, OutputLine } from '../../processes/output-buffer.ts'
import { noStore } from './answers.ts'
import type { LogQuery } from './log-query.ts'

/** So often it is looked whether there is still something to wait for: neither a stop nor another config waits for a reader. */
const lookEveryMs = 250
/** Lines that are sent at once, in characters: more than that does not wait for a reader. */
const mostAtOnce = 65_536

/**
 * The lines that are kept and all later ones, as server-sent events. Nothing is put aside for a slow reader: what is not kept any
 * more when it comes to it is left out, and an event `omitted` says how many lines that were. Ends when `isOver`.
 */
export function streamLines(ctx: Context, output: OutputBuffer, { after, last }: LogQuery, isOver: () => boolean): Response {
  let seen = last === undefined ? after : beforeLast(output, after, last)
  let wake: (() => void) | undefined
  const look = () => wake?.()
  const unlisten = output.listen(look)
  const timer = setInterval(() => isOver() && look(), lookEveryMs)
  timer.unref()
  ctx.onSettled(() => {
    unlisten()
    clearInterval(timer)
    look()
  })

  const next = async (): Promise<readonly OutputLine[]> => {
    for (;;) {
      const lines = output.lines({ after: seen })
      if (lines.length > 0 || isOver() || ctx.phase === 'settled') return lines
      await new Promise<void>(resolve => {
        wake = resolve
      })
      wake = undefined
    }
  }
  let begun = false
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!begun) {
          begun = true
          return controller.enqueue(encoder.encode('retry: 2000\n\n')) // the headers leave with it
        }
        const lines = await next()
        if (ctx.phase === 'settled') return
        if (lines.length === 0) return controller.close()
        let text = ''
        for (const line of lines) {
          if (line.id > seen + 1) text += omitted(line.id - seen - 1)
          text += eventOf(line)
          seen = line.id
          if (text.length > mostAtOnce) break
        }
        controller.enqueue(encoder.encode(text))
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { ...streamHeaders, ...noStore } })
}

/** The id in front of the last few lines: whoever asks for these misses none. */
function beforeLast(output: OutputBuffer, after: number, last: number): number {
  const newest = output.lines({ last: 1 })[0]?.id ?? after
  const [first] = output.lines({ after, last })
  return first && last > 0 ? first.id - 1 : newest
}

const encoder = new TextEncoder()
const eventOf = (line: OutputLine) => `id: ${line.id}\ndata: ${JSON.stringify(line)}\n\n`
const omitted = (lines: number) => `event: omitted\ndata: {"omitted":${lines}}\n\n`
