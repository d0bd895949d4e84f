import { llamaReply } from '../llama/catalogue.ts'
import type { Exchange } from '../server/exchange.ts'
import { send } from '../server/routes.ts'
import type { Behaviour } from './behaviour.ts'

interface InterceptOptions {
  readonly behaviour: Behaviour
  /** Lets go what a `hold…` model keeps waiting. */
  release(): void
}

const aborted = 134 // as after abort(), which is how llama.cpp gives up

/** What a stand-in does otherwise than the fake: faults, and what tests ask of it under `/stand-in`. */
export function createIntercept({ behaviour, release }: InterceptOptions): (exchange: Exchange) => Promise<boolean> {
  let hangs = behaviour.hang === 'start'
  let asked = 0

  return async exchange => {
    const { method, path, json } = exchange.request
    if (path === '/stand-in/crash') process.exit((json as { code?: number } | undefined)?.code ?? aborted)
    if (path === '/stand-in/hang') hangs = true
    if (path === '/stand-in/release') release()
    if (path.startsWith('/stand-in/')) return reply(exchange, { ok: true })
    if (method === 'POST' && path.startsWith('/v1/')) {
      asked++
      if (asked === behaviour.crashAtRequest) process.exit(aborted)
      if (asked === behaviour.hang) hangs = true
    }
    return hangs // then it is taken on, and never answered
  }
}

function reply(exchange: Exchange, body: unknown): true {
  send(exchange, llamaReply(body))
  return true
}
