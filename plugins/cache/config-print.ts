import type { Gateway, ResolvedModel } from 'gatehouse'
import { canonical } from './canonical.ts'

/**
 * A short text for the part of the config that decides how a model is answered: where its backends are, and what the
 * plugins are told. A reload that changes it leaves the answers of before behind.
 */
export function createConfigPrint({ backends, pipeline, options, plugins }: Gateway['config']): (model: ResolvedModel) => string {
  const common = print([pipeline, options, plugins.configs])
  const byName = new Map(Object.entries(backends).map(([name, entry]) => [name, print(entry)]))
  return ({ targets }) => targets.reduce((text, { backend }) => `${text} ${byName.get(backend) ?? backend}`, common)
}

/** A digest, because the config holds secrets. */
const print = (value: unknown) => Bun.SHA256.hash(canonical(value).text, 'hex')
