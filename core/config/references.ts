import type { Problem } from './expand.ts'
import type { didYouMean } from './suggest.ts'
import { isMapping, type Path, type Tree } from './tree.ts'

/** Names that point nowhere. Separate from `duplicateNames`, because a plugin may bring the backend. */
export function unknownBackends(tree: Tree, suggest: typeof didYouMean): Problem[] {
  const configured = isMapping(tree.backends) ? Object.keys(tree.backends) : []
  const backends = runsModels(tree) ? [...configured, processBackend] : configured
  const problems: Problem[] = []
  const check = (path: Path, name: unknown) => {
    if (typeof name !== 'string' || backends.includes(name.trim())) return
    const known = backends.length > 0 ? `; backends has ${backends.join(', ')}` : '; there are no backends'
    const hint = suggest(name, backends) || known
    problems.push({ path, message: `names a backend that is not configured: ${JSON.stringify(name)}${hint}` })
  }
  check(['default_backend'], tree.default_backend)
  forEachMapping(tree.models, (model, m) =>
    forEachMapping(model.targets, (target, t) => check(['models', m, 'targets', t, 'backend'], target.backend)),
  )
  return problems
}

/** The backend that stands for the models gatehouse runs itself; nobody else may be called so. */
export const processBackend = 'processes'

/** True when there are models that gatehouse runs itself. */
const runsModels = ({ models, models_dir: folder }: Tree): boolean =>
  typeof folder === 'string' ||
  (Array.isArray(models) && models.some(model => isMapping(model) && (model.model_path !== undefined || model.command !== undefined)))

/** A target among the processes that is none of them, and a backend that has their name. */
export function wrongProcesses(tree: Tree): Problem[] {
  if (!runsModels(tree)) return []
  const problems: Problem[] = []
  if (isMapping(tree.backends) && Object.hasOwn(tree.backends, processBackend)) {
    problems.push({
      path: ['backends', processBackend],
      message: 'must have another name; this one stands for the models that gatehouse runs itself',
    })
  }
  const names = new Set<unknown>()
  forEachMapping(tree.models, ({ name, model_path, command }) => {
    if (model_path !== undefined || command !== undefined) names.add(name)
  })
  if (tree.models_dir !== undefined) return problems // its files may be any
  forEachMapping(tree.models, (model, m) =>
    forEachMapping(model.targets, ({ backend, model: asked = model.name }, t) => {
      if (backend !== processBackend || names.has(asked)) return
      const path = ['models', m, 'targets', t, 'model']
      problems.push({ path, message: `names a model that gatehouse does not run: ${JSON.stringify(asked)}` })
    }),
  )
  return problems
}

/** Groups that nobody has described. */
export function unknownGroups(tree: Tree, suggest: typeof didYouMean): Problem[] {
  const groups = isMapping(tree.groups) ? Object.keys(tree.groups) : []
  const problems: Problem[] = []
  forEachMapping(tree.models, ({ group }, m) => {
    if (typeof group !== 'string' || groups.includes(group.trim())) return
    const known = groups.length > 0 ? `; groups has ${groups.join(', ')}` : '; there are no groups'
    const hint = suggest(group, groups) || known
    problems.push({ path: ['models', m, 'group'], message: `names a group that is not configured: ${JSON.stringify(group)}${hint}` })
  })
  return problems
}

/** Names that are taken already: of models and their aliases, because a request must mean one model, and of MCP servers. */
export function duplicateNames(tree: Tree): Problem[] {
  const taken = new Map<string, string>()
  const problems: Problem[] = []
  const take = (path: Path, name: unknown, owner: string) => {
    if (typeof name !== 'string') return
    const before = taken.get(name.trim())
    if (before === undefined) taken.set(name.trim(), owner)
    else problems.push({ path, message: `must be a name of its own, but ${JSON.stringify(name)} is taken by ${before}` })
  }
  forEachMapping(tree.models, (model, m) => take(['models', m, 'name'], model.name, `models[${m}]`))
  forEachMapping(tree.models, (model, m) => {
    if (!Array.isArray(model.aliases)) return
    for (const [a, alias] of model.aliases.entries()) {
      if (isMapping(alias)) take(['models', m, 'aliases', a, 'name'], alias.name, `models[${m}]`)
      else take(['models', m, 'aliases', a], alias, `models[${m}]`)
    }
  })
  taken.clear()
  forEachMapping(isMapping(tree.mcp) ? tree.mcp.servers : undefined, ({ name }, s) =>
    take(['mcp', 'servers', s, 'name'], name, `mcp.servers[${s}]`),
  )
  return problems
}

function forEachMapping(list: unknown, visit: (item: Tree, index: number) => void): void {
  if (!Array.isArray(list)) return
  for (const [index, item] of list.entries()) if (isMapping(item)) visit(item, index)
}
