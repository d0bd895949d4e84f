import { findRoute, type Gateway, operations, trimSlashes } from 'gatehouse'
import { mustBe, type Read } from './fields.ts'

/** The routes there are; live, because later plugins add some. */
export type Known = Gateway['routes']

/**
 * A path there is, or all paths below one: `/v1/chat/completions`, `/v1/audio/*`, `/v1/*`, `/upstream/qwen3-8b/*`. It is stored
 * without a slash at its end. The admin API is for the admin key alone, whatever a key says.
 */
export const endpoint =
  (known: Known): Read<string> =>
  (value, field) => {
    const path = typeof value === 'string' && value.length <= 256 ? trimSlashes(value) : ''
    if (!isKnown(path, known))
      throw mustBe(field, 'a path such as /v1/chat/completions, or several such as /v1/audio/*, that gatehouse has')
    return path
  }

function isKnown(path: string, routes: Known): boolean {
  if (!/^(\/[\w.~@+-][\w.~@+:-]*)*(\/[\w.~@+-][\w.~@+:-]*|\/\*)$/.test(path)) return false
  const known = [...operations.map(({ path }) => ({ method: 'POST', path })), ...routes.filter(({ access }) => access !== 'admin')]
  if (!path.endsWith('/*')) return findRoute(known, 'GET', path).methods.length > 0
  const above = path.slice(0, -1)
  return known.some(route => route.path.startsWith(above)) || findRoute(known, 'GET', `${above}x`).methods.length > 0
}
