import { createHash } from 'node:crypto'

/** A Lua script that Redis runs as one step. */
export interface Script {
  readonly text: string
  /** What Redis knows it by once it has seen it. */
  readonly sha: string
}

/** Makes a script of its text. */
export const luaScript = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })
