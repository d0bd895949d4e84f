import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** One call of the stub. */
export interface StubCall {
  readonly args: readonly string[]
  /** The stub's own, and that of the process it has started. */
  readonly pids: readonly number[]
  readonly env: Readonly<Record<string, string>>
}

/** An `ollama` on a PATH of its own. */
export interface StubOllama extends Disposable {
  readonly env: Record<string, string>
  readonly calls: () => readonly StubCall[]
}

/**
 * Puts an `ollama` on a PATH. `serve` starts a fake Ollama; `mute` runs and never listens; `crash` ends at once;
 * `crash-later` does so from the second time on.
 */
export async function stubOllama(behaviour: 'serve' | 'mute' | 'crash' | 'crash-later' = 'serve'): Promise<StubOllama> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const notes = join(folder, 'notes')
  const file = join(folder, 'ollama')
  await Bun.write(file, `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dir, 'stub.ts')}' "$@"\n`)
  chmodSync(file, 0o755)
  return {
    env: { PATH: [folder, process.env.PATH].join(delimiter), HOME: folder, OLLAMA_STUB: behaviour, OLLAMA_STUB_NOTES: notes },
    calls() {
      try {
        return readFileSync(notes, 'utf8')
          .trim()
          .split('\n')
          .map(line => JSON.parse(line) as StubCall)
      } catch {
        return []
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
