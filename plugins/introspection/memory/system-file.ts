import type { Files } from './files.ts'
import { writeJson } from './json-file.ts'

/** What gatehouse itself keeps in `system.json`, with LlamaGate's names. */
export interface SystemFacts {
  readonly capabilities?: unknown
  readonly last_hardware_snapshot?: unknown
  readonly last_models_snapshot?: unknown
}

/** `system.json`: what this gateway can do and last saw, for people and programs that look at the folder. */
export interface SystemFile {
  /** When it was last written; undefined when it never was, or cannot be read. */
  updatedAt(): Promise<string | undefined>
  /** Writes what is new. A file that cannot be read stays as it is; what others wrote into it stays too. */
  update(facts: SystemFacts): Promise<void>
}

/** The file need not exist. `now` gives Unix milliseconds. */
export function createSystemFile(file: string, files: Files, now: () => number): SystemFile {
  return {
    async updatedAt() {
      const content = await files.read(file)
      return content.state === 'read' && typeof content.value.updated_at === 'string' ? content.value.updated_at : undefined
    },
    update: facts =>
      files.queue.run(file, async () => {
        const content = await files.read(file)
        if (content.state === 'broken') return
        const old = content.state === 'read' ? content.value : { notes: [] }
        if (Object.entries(facts).every(([name, value]) => Bun.deepEquals(old[name], value))) return
        await writeJson(file, { ...old, ...facts, updated_at: new Date(now()).toISOString() })
      }),
  }
}
