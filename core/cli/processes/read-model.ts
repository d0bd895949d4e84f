import { ConfigError } from '../../errors.ts'

/** The one model that a command is told. Throws a ConfigError when there is none, or another argument. */
export function readModel(command: string, positionals: readonly string[], needs = 'a model'): string {
  const [model, second] = positionals
  if (!model?.trim()) throw new ConfigError(`${command} needs ${needs}; gatehouse ps shows them`)
  if (second !== undefined) throw new ConfigError(`${command} takes one model at a time, so "${second}" is too much`)
  return model.trim()
}
