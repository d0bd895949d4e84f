import type { Problem } from './expand.ts'
import { type Origins, recordOrigins } from './origins.ts'
import type { Tree } from './tree.ts'

/** What the layers of the config are written into. */
export interface Draft {
  readonly tree: Tree
  readonly origins: Origins
  readonly warnings: string[]
  readonly problems: Problem[]
  /** ModelGate says where Redis is in three keys, which file and variables may share among them: what was said so far. */
  readonly modelgateRedis: Tree
}

/** A draft in which nobody has said anything yet. */
export const emptyDraft = (): Draft => ({ tree: {}, origins: recordOrigins(), warnings: [], problems: [], modelgateRedis: {} })
