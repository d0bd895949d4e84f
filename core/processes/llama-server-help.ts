import { stat } from 'node:fs/promises'
import { within } from '../within.ts'
import { spawnChild } from './spawn-child.ts'

/** What a llama-server program knows, of what not every version does. */
export interface LlamaServerAbilities {
  /** `--kv-unified`: all slots share one cache. */
  readonly unifiedCache: boolean
  /** It takes its key from the variable LLAMA_API_KEY, so that nobody reads it in the list of processes. */
  readonly keyFromEnvironment: boolean
}

/** The program, and what it is run with. */
export interface Probe {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
}

/** What can be said of one that does not answer: what works with all of them. */
const nothing: LlamaServerAbilities = { unifiedCache: false, keyFromEnvironment: false }

const longestMs = 15_000
/** The help of a llama-server has 60 KB. */
const mostCharacters = 1_000_000

/** Asks a program for its `--help` and says what it knows. Each program once, until its file changes; a failure is asked again. */
export function abilitiesOf(run: (probe: Probe) => Promise<string> = readHelp): (probe: Probe) => Promise<LlamaServerAbilities> {
  const known = new Map<string, { readonly stamp: string; readonly abilities: Promise<LlamaServerAbilities> }>()
  return async probe => {
    const { size, mtimeMs, ino } = await stat(probe.command)
    const stamp = `${ino} ${size} ${mtimeMs}`
    const before = known.get(probe.command)
    if (before?.stamp === stamp) return before.abilities
    const answer = run(probe).then(
      help => (help.includes('--ctx-size') ? readAbilities(help) : undefined),
      () => undefined,
    )
    const abilities = answer.then(found => found ?? nothing)
    known.set(probe.command, { stamp, abilities })
    answer.then(found => !found && known.get(probe.command)?.abilities === abilities && known.delete(probe.command))
    return abilities
  }
}

const readAbilities = (help: string): LlamaServerAbilities => ({
  // not --kv-unified-per-slot
  unifiedCache: /--kv-unified(?![\w-])/.test(help),
  keyFromEnvironment: /\bLLAMA_API_KEY\b/.test(help),
})

async function readHelp({ command, env }: Probe): Promise<string> {
  let help = ''
  const onOutput = (line: string) => {
    if (help.length < mostCharacters) help += `${line}\n`
  }
  const child = await spawnChild({ command, args: ['--help'], env, onOutput })
  // drivers of GPUs may take seconds to wake up
  if (!(await within(longestMs, child.exited))) await child.stop(0)
  return help
}
