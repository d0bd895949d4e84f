import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Behaviour } from './behaviour.ts'
import { type Started, startsOf } from './journal.ts'
import { type ModelHeader, modelFile } from './model-file.ts'

export type { Behaviour, Grandchild } from './behaviour.ts'
export { isRunning, type Started } from './journal.ts'

/** The command that stands for `llama-server`: its flags follow. */
export const standInCommand: readonly [string, ...string[]] = [process.execPath, join(import.meta.dir, 'server.ts')]

/** A folder of model files, and an executable that serves them. */
export interface StandIn extends Disposable {
  readonly folder: string
  /** One file that can be run as `llama-server` is. */
  readonly executable: string
  /** Writes the model file `<name>.gguf`, or another one in its place; its path. */
  model(name: string, behaviour?: Behaviour, header?: ModelHeader): string
  /** Every start of a model's server so far. */
  starts(name: string): readonly Started[]
}

/** Makes a folder with nothing but the executable. */
export function standIn(): StandIn {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-models-'))
  const executable = join(folder, 'llama-server')
  const quoted = standInCommand.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  writeFileSync(executable, `#!/bin/sh\nexec ${quoted} "$@"\n`)
  chmodSync(executable, 0o755)
  const pathOf = (name: string) => join(folder, `${name}.gguf`)
  return {
    folder,
    executable,
    model(name, behaviour, header) {
      writeFileSync(pathOf(name), modelFile(behaviour, { name, ...header }))
      return pathOf(name)
    },
    starts: name => startsOf(pathOf(name)),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
