import { GatewayError } from 'gatehouse'
import type { ToolOptions, ToolSettings } from './settings.ts'

/** Keeps one request within the limits of tools. Throws LlamaGate's errors as a 422, which SDKs do not send again. */
export interface Limits {
  /** The model wants so many calls now. */
  enter(calls: number): void
  /** How long a tool may run that starts now. */
  toolMs(): number
  /** The calls of this round are over. */
  leave(): void
}

type LimitSettings = Pick<ToolSettings, 'max_tool_rounds' | 'max_tool_calls_per_round' | 'max_total_tool_calls' | 'default_tool_timeout'> &
  Pick<ToolOptions, 'total_tool_time'>

/** Nothing has been called yet. */
export function createLimits(settings: LimitSettings, now: () => number = performance.now.bind(performance)): Limits {
  const { max_tool_rounds: rounds, max_tool_calls_per_round: perRound, max_total_tool_calls: total, total_tool_time: totalMs } = settings
  let entered = 0
  let made = 0
  let spentMs = 0
  let since = 0
  return {
    enter(calls) {
      if (calls > perRound) {
        const message = `Maximum tool calls per round (${perRound}) exceeded. This request attempted ${calls} tool calls in round ${entered + 1}.`
        throw limitExceeded('too_many_tool_calls_per_round', message)
      }
      if (entered >= rounds) {
        const message = `Maximum tool execution rounds (${rounds}) exceeded. This request completed ${entered} rounds with ${calls} pending tool calls.`
        throw limitExceeded('max_tool_rounds_exceeded', message)
      }
      if (made + calls > total) {
        const message = `Maximum total tool calls (${total}) exceeded. This request has made ${made} tool calls and attempted ${calls} more.`
        throw limitExceeded('max_total_tool_calls_exceeded', message)
      }
      if (totalMs - spentMs < 1) {
        // a timer may be a little early
        const message = `Maximum tool execution time (${totalMs / 1000}s) exceeded. This request has ${calls} pending tool calls.`
        throw limitExceeded('max_tool_time_exceeded', message)
      }
      entered++
      made += calls
      since = now()
    },
    toolMs: () => Math.max(1, Math.min(settings.default_tool_timeout, totalMs - spentMs - (now() - since))),
    leave() {
      spentMs += now() - since
    },
  }
}

const limitExceeded = (type: string, message: string) => new GatewayError(422, type, type, message)
