import { looksSecret } from '../../secrets/looks.ts'
import type { Draft } from '../draft.ts'
import type { ConfigFile } from '../file.ts'
import { partOf } from '../problems.ts'
import { kindOf } from '../shape.ts'
import { formatPath, getPath, type Path, setPath, type Tree } from '../tree.ts'
import type { FormatName, LegacyFormat } from './legacy-format.ts'
import { llamagate } from './llamagate.ts'
import { llamawrapper } from './llamawrapper.ts'
import { modelgate } from './modelgate.ts'
import { applyRules } from './rules.ts'

const formats: Readonly<Record<FormatName, LegacyFormat | undefined>> = { gatehouse: undefined, llamagate, modelgate, llamawrapper }

/** How the config of an older gateway is read; undefined for our own. */
export const legacyFormat = (name: FormatName | undefined): LegacyFormat | undefined => (name ? formats[name] : undefined)

/** Lays the file of an older gateway, with the defaults it had there, over an empty draft. */
export function layLegacy(draft: Draft, { path }: ConfigFile, tree: Tree, { title, defaults, rules, anyCase }: LegacyFormat): void {
  for (const { path: key, value } of defaults) {
    setPath(draft.tree, key, value)
    draft.origins.note(key, `default of ${title}`)
  }
  applyRules({ draft, rules, label: path, title, anyCase }, tree)
}

/** Older gateways listened on every interface. Ours does so only when somebody says it. */
export function warnOfLoopback(draft: Draft, { path }: ConfigFile, { title, openWith }: LegacyFormat): void {
  if (draft.origins.of(['host'])) return
  const how = openWith ? `${openWith} or HOST=0.0.0.0` : 'HOST=0.0.0.0'
  draft.warnings.push(`${path}: ${title} could be reached from other machines; gatehouse only from this one, unless you set ${how}`)
}

/**
 * Texts of an older gateway's file that look like variables and are none stay as they are, but for secrets: everybody
 * could read them there. Call it when the file is laid.
 */
export function judgeVariables(draft: Draft, { path }: ConfigFile, found: Draft['problems']): void {
  for (const problem of found) {
    if (isSecret(draft, problem.path)) draft.problems.push({ ...problem, source: path })
    else draft.warnings.push(`${path}: ${formatPath(problem.path)}: ${problem.message}; it is kept as it is`)
  }
}

function isSecret({ origins, tree }: Draft, written: Path): boolean {
  const path = origins.became(written)
  if (!path) return false
  const [section, list, index] = path
  // nobody is sent the secrets of a server that is off
  if (section === 'mcp' && list === 'servers' && getPath(tree, ['mcp', 'servers', index ?? 0, 'enabled']) === false) return false
  return kindOf(partOf(path, tree)) === 'secret' || written.some(key => typeof key === 'string' && looksSecret(key))
}
