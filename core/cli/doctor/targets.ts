import type { ModelInfo } from '../../backends/backend.ts'
import type { ModelConfig } from '../../config/model-schema.ts'
import { didYouMean } from '../../config/suggest.ts'
import { findModel } from '../../model-names.ts'
import type { Place } from './backend-place.ts'
import { type Finding, problem, warning } from './finding.ts'

const mostShown = 5

/** The models the config sends to a backend that does not list them. */
export function checkTargets(
  backend: string,
  type: string,
  { pull }: Place,
  listed: readonly ModelInfo[],
  models: readonly ModelConfig[],
): readonly Finding[] {
  if (type === 'llamacpp') return [] // serves its one model under any name
  const wanted = models.flatMap(({ name, targets }) =>
    targets.filter(target => target.backend === backend).map(target => ({ name, model: target.model ?? name })),
  )
  return wanted
    .filter(({ model }) => !model.includes('*') && !findModel(listed, model))
    .map(({ name, model }) => {
      const message = `model "${name}" is sent there as "${model}", which it does not list`
      if (pull) return problem(message, pull(model))
      return warning(
        message,
        `it lists ${names(listed)}${didYouMean(
          model,
          listed.map(({ id }) => id),
        )}`,
      )
    })
}

function names(listed: readonly ModelInfo[]): string {
  if (listed.length === 0) return 'none'
  const shown = listed.slice(0, mostShown).map(({ id }) => id)
  return `${shown.join(', ')}${listed.length > mostShown ? ` and ${listed.length - mostShown} more` : ''}`
}
