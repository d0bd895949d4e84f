import { parseBaseUrl } from './address.ts'
import type { Draft } from './draft.ts'
import { getPath, isMapping, setPath } from './tree.ts'

/**
 * Turns `ollama_host` into a backend named `ollama`, or into the address of the one there is.
 * Beside other backends it is ignored: shells export OLLAMA_HOST for Ollama itself.
 */
export function applyOllamaHost(draft: Draft): void {
  const { tree, origins, warnings } = draft
  const host = tree.ollama_host ?? undefined
  if (host === undefined) return
  const origin = origins.of(['ollama_host'])
  if (!hasBackends(tree)) tree.backends = { ollama: { type: 'ollama' } }
  else if (getPath(tree, ['backends', 'ollama', 'type']) !== 'ollama') {
    delete tree.ollama_host
    warnings.push(
      `${origin?.label ?? 'ollama_host'}: ignored, because backends are configured and none of them is named ollama with type ollama`,
    )
    return
  }
  const path = ['backends', 'ollama', 'base_url']
  const written = getPath(tree, path) !== undefined
  if (written && (origins.of(path)?.order ?? 0) > (origin?.order ?? 0)) return
  // A wrong address is reported once, as ollama_host.
  const usable = typeof host === 'string' && parseBaseUrl(host) !== undefined
  setPath(tree, path, usable ? host : 'http://localhost:11434')
  if (origin) origins.note(path, origin.label)
}

/** True when somebody configured a backend. */
export const hasBackends = (tree: { readonly backends?: unknown }): boolean =>
  isMapping(tree.backends) ? Object.keys(tree.backends).length > 0 : Boolean(tree.backends)
