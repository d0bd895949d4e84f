import type { Head } from '../kept.ts'

/** The head that was kept as JSON; undefined when it is not one. */
export function readHead(json: string): Head | undefined {
  try {
    const head = JSON.parse(json) as Partial<Head> | null
    return isHead(head) ? head : undefined
  } catch {
    return undefined
  }
}

function isHead(head: Partial<Head> | null): head is Head {
  if (head === null || typeof head !== 'object') return false
  const { form, contentType, ignored, model, tokens, tookMs } = head
  if (ignored !== undefined && typeof ignored !== 'string') return false
  const formed = form === 'json' || form === 'events'
  return formed && typeof contentType === 'string' && typeof model === 'string' && typeof tokens === 'number' && typeof tookMs === 'number'
}
