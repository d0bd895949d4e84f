import type { Context, Principal } from 'gatehouse'

/** Who runs this gateway: the holder of `API_KEY` or of the admin key, or everybody while no key is asked for. */
export const isOperator = ({ kind }: Principal): boolean => kind === 'static' || kind === 'admin' || kind === 'open'

/** Whose memory a request is about. Only an operator's word for somebody else counts; a managed key is its own user. */
export function userOf({ principal, request }: Pick<Context, 'principal' | 'request'>): string | undefined {
  if (!isOperator(principal)) return principal.id
  return request.headers.get('x-llamagate-user')?.trim() || undefined
}
