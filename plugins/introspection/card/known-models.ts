import type { Principal } from 'gatehouse'
import { type Kept, keep } from '../kept.ts'

/** The models' names as the card needs them: at once. */
export interface KnownModels {
  /** What the caller may use, as of at most a minute before the last request; undefined until it is known. */
  names(principal: Principal): readonly string[] | 'not listed' | undefined
}

const freshMs = 60_000
/** Keys whose lists are kept. */
const mostKept = 1000

/** Lists in the background. Everybody but a managed key may use every model, so these share a list. */
export function createKnownModels(list: (principal: Principal) => Promise<readonly string[]>, now: () => number): KnownModels {
  const lists = new Map<string, Kept<readonly string[]>>()
  return {
    names(principal) {
      const whose = principal.kind === 'key' ? `key ${principal.id}` : ''
      let kept = lists.get(whose)
      if (!kept) {
        kept = keep({ load: () => list(principal), freshMs, now })
        if (lists.size >= mostKept) lists.delete(lists.keys().next().value as string)
        lists.set(whose, kept)
      }
      const known = kept.peek()
      if (!known) return
      return 'value' in known && known.value.length > 0 ? known.value : 'not listed'
    },
  }
}
