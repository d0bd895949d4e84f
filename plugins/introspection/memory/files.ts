import type { Logger } from 'gatehouse'
import { type Content, readJson } from './json-file.ts'
import type { FileQueue } from './queue.ts'

/** The files of the memory: read with care, because people edit them; written one at a time. */
export interface Files {
  /** Says so in the log when a file cannot be read, once until it can. */
  read(file: string): Promise<Content>
  readonly queue: FileQueue
}

/** Nothing is read yet. */
export function createFiles(queue: FileQueue, log: Logger): Files {
  const complained = new Set<string>()
  return {
    queue,
    async read(file) {
      const content = await readJson(file)
      if (content.state !== 'broken') complained.delete(file)
      else if (!complained.has(file)) {
        complained.add(file)
        log.warn({ file, reason: content.reason }, 'a memory file cannot be read and is ignored')
      }
      return content
    },
  }
}
