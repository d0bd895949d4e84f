import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

/**
 * The SDK hears notifications one step later than answers, and by then has forgotten who wanted the progress of a request: what comes
 * in one piece with the answer would be lost. So answers wait one step, too. For a transport that is connected.
 */
export function keepOrder(transport: Transport): void {
  const hear = transport.onmessage
  if (!hear) return
  transport.onmessage = (message, extra) => {
    if ('method' in message) hear(message, extra)
    else queueMicrotask(() => hear(message, extra))
  }
}
