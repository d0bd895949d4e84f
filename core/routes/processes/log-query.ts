import { didYouMean } from '../../config/suggest.ts'
import type { RouteContext } from '../../context.ts'
import { invalidRequest } from '../../errors.ts'
import type { OutputBuffer } from '../../processes/output-buffer.ts'

/** Which of the lines that are kept. */
export interface LogQuery {
  readonly after: number
  readonly last?: number
}

const names = ['tail', 'after'] as const

/**
 * `?tail=N` and `?after=ID`; a browser that comes back to a stream says it with `Last-Event-ID`. An id that there never was is of
 * an earlier gatehouse, and stands for the beginning. Throws a 400 for anything else.
 */
export function readLogQuery({ url, request }: RouteContext, output: Pick<OutputBuffer, 'lines'>): LogQuery {
  for (const name of url.searchParams.keys()) {
    if ((names as readonly string[]).includes(name)) continue
    const shown = name.slice(0, 60)
    throw invalidRequest(`There is no "${shown}" here${didYouMean(shown, names) || '.'}`, 'invalid_query', shown)
  }
  const last = readCount(url, 'tail')
  const seen = readId(request.headers.get('last-event-id')) ?? readCount(url, 'after') ?? 0
  const newest = output.lines({ last: 1 })[0]?.id ?? 0
  return { after: seen > newest ? 0 : seen, ...(last !== undefined && { last }) }
}

function readCount({ searchParams }: URL, name: (typeof names)[number]): number | undefined {
  const text = searchParams.get(name)
  if (text === null) return
  const number = readId(text)
  if (number === undefined) throw invalidRequest(`${name} must be a whole number from 0.`, 'invalid_query', name)
  return number
}

const readId = (text: string | null): number | undefined => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined)
