import type { Principal } from './context.ts'
import { GatewayError } from './errors.ts'
import type { ResolvedModel } from './models.ts'

/**
 * Throws a 403 when a caller may not use a model. Judged are the name it asks for and the name behind that: an alias is
 * no way round. The name behind a wildcard is a pattern, and stands for the one that was asked for.
 */
export function assertMayUse({ mayUse }: Principal, asked: string, model: Pick<ResolvedModel, 'name'> | undefined): void {
  if (!mayUse) return
  const behind = model?.name.includes('*') ? asked : (model?.name ?? asked)
  const refused = [asked, behind].find(name => !mayUse(name))
  if (refused === undefined) return
  const meant = refused === asked ? '' : `, for which '${asked}' stands`
  throw new GatewayError(403, 'permission_error', 'model_not_allowed', `This API key may not use the model '${refused}'${meant}.`, {
    param: 'model',
  })
}
