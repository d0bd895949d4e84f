import { expect, test } from 'bun:test'
import type { Principal } from 'gatehouse'
import { createModelScopes, type ModelScope, scopeOf } from './scope.ts'

const key: Principal = { id: '7', kind: 'key' }
const open: Principal = { id: 'open', kind: 'open' }

test.each<[string, Principal, ModelScope, string | undefined]>([
  ['a managed key', key, 'auto', 'key:7'],
  ['the static key', { id: 'api-key', kind: 'static' }, 'auto', 'all'],
  ['nobody in particular', open, 'auto', 'all'],
  ['a managed key that shares', { ...key, cacheScope: 'all' }, 'auto', 'all'],
  ['a managed key and a model for all', key, 'all', 'all'],
  ['a managed key of its own and a model for all', { ...key, cacheScope: 'key' }, 'all', 'key:7'],
  ['a managed key that shares and a model for each', { ...key, cacheScope: 'all' }, 'key', 'key:7'],
  ['nobody in particular and a model for each', open, 'key', 'open:open'],
  ['a key that wants nothing kept', { ...key, cacheScope: 'off' }, 'all', undefined],
  ['a model of which nothing is kept', { ...key, cacheScope: 'all' }, 'off', undefined],
])('%s', (_, principal, model, scope) => expect(scopeOf(principal, model)).toBe(scope as string))

test('a model says it for itself, or the cache for all', () => {
  const models = [{ name: 'a', cache_scope: 'off' }, { name: 'b' }] as unknown as Parameters<typeof createModelScopes>[0]['models']
  const scopes = createModelScopes({ cache: { scope: 'key' } as Parameters<typeof createModelScopes>[0]['cache'], models })
  expect(['a', 'b', 'c'].map(scopes)).toEqual(['off', 'key', 'key'])
})
