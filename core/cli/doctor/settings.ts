import type { LoadedConfig } from '../../config/load.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

/** Where the settings come from, and what the loader had to say about them. */
export function checkSettings(loaded: LoadedConfig): readonly Finding[] {
  const { file, format, notes, warnings } = loaded
  const kind = format === undefined || format === 'gatehouse' ? '' : ` (a config of ${format})`
  return [
    ok(file === undefined ? 'no config file; settings come from the environment, .env and the defaults' : `${file}${kind}`),
    ...notes.map(note => ok(note)),
    ...warnings.map(line => warning(line)),
  ]
}

/** The mistakes in settings that cannot be used. */
export const settingsProblems = (mistakes: string): readonly Finding[] => [
  ...mistakes.split('\n').map(line => problem(line)),
  warning('nothing else was looked into, because these settings cannot be used', 'correct them and run gatehouse doctor again'),
]
