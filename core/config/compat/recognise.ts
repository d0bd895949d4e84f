import { basename } from 'node:path'
import { fileSchema } from '../schema.ts'
import { getPath, isMapping, type Path, type Tree } from '../tree.ts'
import type { FormatName } from './legacy-format.ts'
import { modelgate } from './modelgate.ts'
import { listRules, type Rules } from './rules.ts'

/** Whose config a file is, by its name where that says it, else by its keys. */
export function recognise(path: string, tree: Tree): FormatName {
  const name = basename(path).toLowerCase()
  if (/^gatehouse\.ya?ml$/.test(name)) return 'gatehouse'
  if (isLlamagateName(name)) return 'llamagate'
  if (isLlamawrapper(tree)) return 'llamawrapper'
  return isModelgate(tree) ? 'modelgate' : 'gatehouse'
}

/** `llamagate.yaml` and the like; a file named `llamagate` is LlamaGate itself. */
export const isLlamagateName = (name: string): boolean => /^llamagate\.(ya?ml|json)$/i.test(basename(name))

/**
 * ModelGate's format when a file that nobody named is surely its own, else undefined: many programs have a
 * `configs/config.yaml`, and many of those have a `server.port`.
 */
export function onlyModelgate(_: string, tree: Tree): FormatName | undefined {
  const lower = lowerKeys(tree)
  const has = (...path: Path) => getPath(lower, path) !== undefined
  const decisive = has('rate_limit', 'rpm') || has('quota', 'default_tokens') || has('max_body_size') || has('adapters')
  const plain = (isModelgate(tree) || has('admin', 'api_key')) && !hasStrangers(tree, modelgate.rules)
  return !hasOurs(lower, shared.modelgate) && (decisive || plain) ? 'modelgate' : undefined
}

/** Whose config a file that nobody named is when it has LlamaWrapper's path of llama-server, else undefined. */
export const onlyLlamawrapper = (path: string, tree: Tree): FormatName | undefined =>
  tree.llama_server_path === undefined ? undefined : recognise(path, tree)

/** Keys that gatehouse shares with the other two say nothing. */
const shared = {
  llamawrapper: ['llama_server_path', 'port_range_start', 'max_loaded_models', 'health_check_sec', 'models'],
  modelgate: ['database', 'redis', 'quota', 'timeout', 'max_body_size', 'admin', 'log'],
}

const hasOurs = (tree: Tree, but: readonly string[]) =>
  Object.entries(tree).some(([key, value]) => Object.hasOwn(fileSchema.entries, key) && !but.includes(key) && !isTheirs(key, value))

/** Ours in name only: an early ModelGate has a list of backends, a late LlamaWrapper a section `auth`. */
const isTheirs = (key: string, value: unknown) => (key === 'backends' && Array.isArray(value)) || (key === 'auth' && isMapping(value))

const isLlamawrapper = (tree: Tree) =>
  tree.llama_server_path !== undefined && (tree.listen_addr !== undefined || !hasOurs(tree, shared.llamawrapper))

function isModelgate(tree: Tree): boolean {
  const lower = lowerKeys(tree)
  const named = isMapping(lower.server) || isMapping(lower.rate_limit) || getPath(lower, ['redis', 'addr']) !== undefined
  return named && !hasOurs(lower, shared.modelgate)
}

/** Both levels that matter, because viper took keys in any case. */
function lowerKeys(tree: Tree): Tree {
  const lower = (mapping: Tree) => Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key.toLowerCase(), value]))
  return Object.fromEntries(Object.entries(lower(tree)).map(([key, value]) => [key, isMapping(value) ? lower(value) : value]))
}

function hasStrangers(tree: Tree, rules: Rules): boolean {
  const known = new Set(listRules(rules).flatMap(({ path }) => path.map((_, index) => path.slice(0, index + 1).join('.'))))
  const strange = (mapping: Tree, at: string): boolean =>
    Object.entries(mapping).some(([key, value]) => {
      const name = `${at}${key.toLowerCase()}`
      return !known.has(name) || (isMapping(value) && [...known].some(path => path.startsWith(`${name}.`)) && strange(value, `${name}.`))
    })
  return strange(tree, '')
}
