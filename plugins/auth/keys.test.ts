import { describe, expect, test } from 'bun:test'
import { makeKey } from '../../core/testing/managed-key.ts'
import { openHouse } from '../../core/testing/open-house.ts'

const yaml = {
  backends: { up: { type: 'echo' } },
  models: [{ name: 'smart', aliases: ['gpt-4o'], targets: [{ backend: 'up', model: 'echo' }] }],
}
const ask = async (url: string, headers: Readonly<Record<string, string>>, model = 'echo', path = '/v1/chat/completions') => {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] })
  const response = await fetch(url + path, { method: 'POST', headers, body })
  const { error } = (await response.json()) as { error?: { code: string; type: string; message: string } }
  return error ? `${response.status} ${error.type} ${error.code}` : String(response.status)
}

describe('a managed key', () => {
  test('lets in; strangers stay out, and the house never opens by itself again', async () => {
    await using house = await openHouse({ yaml })
    expect(await ask(house.url, {})).toBe('200')
    const key = await makeKey(house)
    expect(await ask(house.url, key.headers)).toBe('200')
    expect(await ask(house.url, { 'x-api-key': key.secret })).toBe('200')
    expect(await ask(house.url, {})).toBe('401 invalid_request_error invalid_api_key')
    expect(await ask(house.url, { 'x-api-key': `${key.secret}x` })).toBe('401 invalid_request_error invalid_api_key')
    await house.serving.gateway.records.keys.delete(key.id, { who: 'test' })
    expect(await ask(house.url, key.headers)).toBe('401 invalid_request_error invalid_api_key')
    expect(await ask(house.url, {})).toBe('401 invalid_request_error invalid_api_key')
    await house.reload({ ...yaml, heartbeat: '7s' })
    expect(await ask(house.url, {})).toBe('401 invalid_request_error invalid_api_key')
    await house.reload({ ...yaml, auth: 'off' })
    expect(await ask(house.url, {})).toBe('200')
  })

  test('that is known but not for this is told why', async () => {
    await using house = await openHouse({ yaml })
    const refusal = async (settings: Parameters<typeof makeKey>[1], model?: string) =>
      ask(house.url, (await makeKey(house, settings)).headers, model)
    expect(await refusal({ enabled: false })).toBe('403 permission_error key_disabled')
    expect(await refusal({ expiresAt: Date.now() - 1 })).toBe('403 permission_error key_expired')
    expect(await refusal({ expiresAt: Date.now() + 60_000 })).toBe('200')
    expect(await refusal({ allowedIps: ['10.0.0.0/8', 'fd00::/8'] })).toBe('403 permission_error ip_not_allowed')
    expect(await refusal({ allowedIps: ['10.0.0.1', '127.0.0.0/8'] })).toBe('200')
    expect(await refusal({ allowedEndpoints: ['/v1/embeddings'] })).toBe('403 permission_error endpoint_not_allowed')
    expect(await refusal({ allowedEndpoints: ['/v1/chat/*'] })).toBe('200')
    expect(await refusal({ allowedModels: ['qwen*'] })).toBe('403 permission_error model_not_allowed')
    expect(await refusal({ allowedModels: ['qwen*', 'ec?o'] })).toBe('200')
  })

  test('is judged by the name it asks for and by the one behind', async () => {
    await using house = await openHouse({ yaml })
    const asked = async (allowedModels: string[], model: string) => ask(house.url, (await makeKey(house, { allowedModels })).headers, model)
    expect(await asked(['smart'], 'smart')).toBe('200')
    expect(await asked(['gpt-*', 'smart'], 'gpt-4o')).toBe('200')
    expect(await asked(['gpt-*'], 'gpt-4o')).toBe('403 permission_error model_not_allowed')
    expect(await asked(['smart'], 'gpt-4o')).toBe('403 permission_error model_not_allowed')
    expect(await asked(['smart'], 'no-such-model')).toBe('403 permission_error model_not_allowed')
  })

  test('also when a layer below changes the model', async () => {
    const renamer = `
      import { definePlugin } from 'gatehouse'
      export default definePlugin({ name: 'renamer', setup: () => ({ handle: (ctx, next) => (ctx.rewrite({ model: 'echo' }), next()) }) })`
    await using house = await openHouse({
      yaml: { ...yaml, pipeline: ['auth', './renamer.ts', 'router'] },
      files: { 'renamer.ts': renamer },
    })
    const { headers } = await makeKey(house, { allowedModels: ['smart'] })
    expect(await ask(house.url, headers, 'smart')).toBe('403 permission_error model_not_allowed')
  })

  test('sees only its models, and counts tokens of no other', async () => {
    await using house = await openHouse({ yaml })
    const { headers } = await makeKey(house, { allowedModels: ['smart'] })
    const list = async () => ((await (await fetch(`${house.url}/v1/models`, { headers })).json()) as { data: { id: string }[] }).data
    expect((await list()).map(({ id }) => id)).toEqual(['smart'])
    expect((await fetch(`${house.url}/v1/models/echo`, { headers })).status).toBe(404)
    expect((await fetch(`${house.url}/v1/models/gpt-4o`, { headers })).status).toBe(404)
    expect(await ask(house.url, headers, 'echo', '/v1/tokenize')).toBe('403 permission_error model_not_allowed')
  })

  test('is no admin', async () => {
    await using house = await openHouse({ yaml: { ...yaml, admin: { api_key: 'sk-admin-0000' } } })
    const { headers } = await makeKey(house)
    expect((await fetch(`${house.url}/admin/verify`, { headers })).status).toBe(403)
  })
})
