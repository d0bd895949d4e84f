import type { Problem } from './expand.ts'
import { type Origins, recordOrigins } from './origins.ts'
import { type didYouMean, firstSuggestions } from './suggest.ts'
import type { Tree } from './tree.ts'

/** What the layers of the config are written into. */
export interface Draft {
  readonly tree: Tree
  readonly origins: Origins
  readonly warnings: string[]
  readonly problems: Problem[]
  /** ModelGate says where Redis is in three keys, which file and variables may share among them: what was said so far. */
  readonly modelgateRedis: { addr?: string; password?: string; db?: string }
  /** `; did you mean X?`, for the first mistakes alone. */
  readonly didYouMean: typeof didYouMean
}

/** A draft in which nobody has said anything yet. */
export const emptyDraft = (): Draft => ({
  tree: {},
  origins: recordOrigins(),
  warnings: [],
  problems: [],
  modelgateRedis: {},
  didYouMean: firstSuggestions(),
})

/** Notes problems; there may be more of them than a call takes arguments. */
export function addProblems({ problems }: Draft, found: readonly Problem[]): void {
  for (const problem of found) problems.push(problem)
}
