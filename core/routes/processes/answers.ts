import type { Principal } from '../../context.ts'

/** A moment later it is otherwise. */
export const noStore = { 'cache-control': 'no-store' } as const

/** JSON that neither proxies nor browsers keep. */
export const answer = (body: unknown, status = 200): Response => Response.json(body, { status, headers: noStore })

/** Whether a model is for this caller to see. */
export const mayUseIt = ({ mayUse }: Principal, model: string): boolean => mayUse?.(model) ?? true
