import { clean } from '../../log/clean.ts'
import type { Remote } from '../remote.ts'
import { cutText } from '../table/cut-text.ts'
import { dataOf } from '../table/pages.ts'
import { count, type Row, words } from '../table/texts.ts'

/** Where progress is shown; nothing is, unless it is a terminal. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const lookEveryMs = 500
const eraseLine = '\r\u001b[K'

/** What `work` gives; while it goes on, a line of the terminal says what the model is about, and is gone at the end. */
export async function withProgress<T>(
  remote: Pick<Remote, 'ask'>,
  model: string,
  work: Promise<T>,
  screen: Screen = process.stderr,
): Promise<T> {
  if (!screen.isTTY) return work
  const began = performance.now()
  let over = false
  let looking = false
  const look = async () => {
    if (looking) return
    looking = true
    try {
      const row = dataOf(await remote.ask('GET', '/running')).find(row => row.model === model)
      if (row && !over) screen.write(eraseLine + cutText(clean(progressLine(row, performance.now() - began)), (screen.columns ?? 80) - 1))
    } catch {
      // the work itself says what is wrong
    } finally {
      looking = false
    }
  }
  look()
  const timer = setInterval(look, lookEveryMs)
  try {
    return await work
  } finally {
    over = true
    clearInterval(timer)
    screen.write(eraseLine)
  }
}

/** `qwen3-8b: starting, 3 wait, 12s`. */
export function progressLine({ model, state, in_flight: inFlight, queued }: Row, ms: number): string {
  const about = [
    state === 'stopped' ? 'waiting for room' : words(state),
    ...(state === 'stopping' ? [`${count(inFlight)} in flight`] : []),
    ...(state !== 'stopping' && Number(queued) > 1 ? [`${count(queued)} wait`] : []),
    `${Math.floor(ms / 1000)}s`,
  ]
  return `${words(model)}: ${about.join(', ')}`
}
