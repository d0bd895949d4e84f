import { describe, expect, test } from 'bun:test'
import { balanceOf, chatWith, comesTrue, postWith } from '../../core/testing/keyed.ts'
import { makeKey } from '../../core/testing/managed-key.ts'
import { type House, openHouse } from '../../core/testing/open-house.ts'
import { type ScriptedUpstream, scriptedUpstream } from '../../core/testing/scripted-upstream.ts'

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const answer = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, text: 'a', finish_reason: 'stop' }],
  usage,
  // what Ollama's own API says
  message: { role: 'assistant', content: 'a' },
  response: 'a',
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 3,
  eval_count: 2,
}
const lengths = ['max_completion_tokens', 'max_tokens', 'max_output_tokens', 'n_predict', 'Max_Tokens']

const messages = [{ role: 'user', content: 'hi' }]
const bodies: Readonly<Record<string, object>> = {
  '/v1/chat/completions': { messages },
  '/v1/completions': { prompt: 'hi' },
  '/v1/messages': { messages },
  '/v1/responses': { input: 'hi' },
  '/infill': { input_prefix: 'hi', input_suffix: '' },
}

/** A house with one backend of a type, which says what it was asked. */
async function houseOf(type: string, more: object = {}) {
  const upstream = await scriptedUpstream(() => Response.json(answer))
  const house = await openHouse({
    yaml: { backends: { up: { type, base_url: upstream.url } }, default_backend: 'up', router: { retries: 0 }, ...more },
  })
  return {
    house,
    upstream,
    async [Symbol.asyncDispose]() {
      await house.stop()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

/** The lengths that arrived, with what Ollama's own API calls it. */
function lengthsAt({ requests }: ScriptedUpstream): Record<string, unknown> {
  const { json } = requests.at(-1) as ScriptedUpstream['requests'][number]
  const own = Object.fromEntries(lengths.filter(name => name in json).map(name => [name, json[name]]))
  const options = json.options as { num_predict?: number } | undefined
  return options?.num_predict === undefined ? own : { ...own, num_predict: options.num_predict }
}

async function asked(house: House, upstream: ScriptedUpstream, path: string, fields: object, quota: number | null = 1_000_000) {
  const key = await makeKey(house, { quota })
  const response = await postWith(house, key, path, { model: 'm', ...bodies[path], ...fields })
  expect([response.status, await response.text()]).toEqual([200, expect.anything()])
  return lengthsAt(upstream)
}

describe('without a length, the backend is told one it obeys', () => {
  test.each([
    ['openai', '/v1/chat/completions', { max_completion_tokens: 8192 }],
    ['openai', '/v1/completions', { max_tokens: 8192 }],
    ['openai', '/v1/responses', { max_output_tokens: 8192 }],
    ['openai-compatible', '/v1/chat/completions', { max_tokens: 8192 }],
    ['openai-compatible', '/v1/messages', { max_tokens: 8192 }],
    ['vllm', '/v1/chat/completions', { max_tokens: 8192 }],
    ['vllm', '/v1/completions', { max_tokens: 8192 }],
    ['vllm', '/v1/messages', { max_tokens: 8192 }],
    ['vllm', '/v1/responses', { max_output_tokens: 8192 }],
    ['llamacpp', '/v1/chat/completions', { max_tokens: 8192 }],
    ['llamacpp', '/v1/completions', { max_tokens: 8192 }],
    ['llamacpp', '/infill', { n_predict: 8192 }],
    ['ollama', '/v1/chat/completions', { num_predict: 8192 }],
    ['ollama', '/v1/completions', { num_predict: 8192 }],
    ['ollama', '/v1/messages', { max_tokens: 8192 }],
    ['ollama', '/v1/responses', { max_output_tokens: 8192 }],
  ])('%s %s', async (type, path, told) => {
    await using at = await houseOf(type)
    expect(await asked(at.house, at.upstream, path, {})).toEqual(told)
    expect(await asked(at.house, at.upstream, path, {}, null)).toEqual({}) // nobody holds a key without a quota
  })
})

describe('a length the client gives', () => {
  test('that fits is left alone, to the byte', async () => {
    await using at = await houseOf('vllm')
    const key = await makeKey(at.house, { quota: 1_000_000 })
    const body = `{"model" : "m","messages":[{"role":"user","content":"\\u0068i"}] ,"max_tokens":77}`
    await fetch(`${at.house.url}/v1/chat/completions`, { method: 'POST', headers: key.headers, body })
    expect(at.upstream.requests.at(-1)?.json).toEqual(JSON.parse(body))
    expect(lengthsAt(at.upstream)).toEqual({ max_tokens: 77 })
  })

  // each of these is believed by some server before the other, or for it
  test.each([
    ['llamacpp', '/v1/chat/completions', { max_tokens: 7, n_predict: -1 }, { max_tokens: 7, n_predict: 7 }],
    ['llamacpp', '/v1/chat/completions', { max_tokens: 7, n_predict: 90_000 }, { max_tokens: 7, n_predict: 90_000 }],
    ['llamacpp', '/v1/chat/completions', { n_predict: -1 }, { max_tokens: 8192, n_predict: 8192 }],
    ['llamacpp', '/v1/completions', { max_tokens: 7, n_predict: 1e99 }, { max_tokens: 7, n_predict: 7 }],
    ['llamacpp', '/v1/responses', { max_output_tokens: 7, n_predict: -1 }, { max_output_tokens: 7, n_predict: 7 }],
    ['llamacpp', '/infill', { n_predict: -1 }, { n_predict: 8192 }],
    ['llamacpp', '/infill', { n_predict: -1, max_tokens: 5 }, { n_predict: 5, max_tokens: 5 }],
    ['openai-compatible', '/v1/chat/completions', { max_tokens: -1 }, { max_tokens: 8192 }],
    ['openai-compatible', '/v1/chat/completions', { max_tokens: 0 }, { max_tokens: 8192 }],
    ['openai-compatible', '/v1/chat/completions', { max_tokens: null }, { max_tokens: 8192 }],
    ['openai-compatible', '/v1/completions', { max_tokens: 0 }, { max_tokens: 0 }],
    ['openai', '/v1/chat/completions', { max_tokens: -1 }, { max_tokens: 8192 }],
    ['vllm', '/v1/responses', { max_output_tokens: '90000' }, { max_output_tokens: 8192 }],
    ['vllm', '/v1/messages', { max_tokens: 1.5 }, { max_tokens: 8192 }],
    ['ollama', '/v1/messages', { max_tokens: 7, Max_Tokens: -1 }, { max_tokens: 7, Max_Tokens: 7 }],
    ['ollama', '/v1/chat/completions', { options: { num_predict: -1 } }, { num_predict: 8192 }],
    ['ollama', '/v1/chat/completions', { num_predict: -1, max_tokens: 9 }, { num_predict: 9 }],
  ])('%s %s %j', async (type, path, given, told) => {
    await using at = await houseOf(type)
    expect(await asked(at.house, at.upstream, path, given)).toMatchObject(told)
  })

  test('that is longer than the model may answer is shortened', async () => {
    await using at = await houseOf('vllm', { models: [{ name: 'm', targets: [{ backend: 'up', model: 'm' }], max_output_tokens: 40 }] })
    const both = { max_tokens: 90, max_completion_tokens: 20 }
    expect(await asked(at.house, at.upstream, '/v1/chat/completions', both)).toEqual({ max_tokens: 40, max_completion_tokens: 20 })
    expect(await asked(at.house, at.upstream, '/v1/chat/completions', {})).toEqual({ max_tokens: 40 })
  })
})

describe('what a target changes', () => {
  const target = (backend: string, more: object = {}) => ({ backend, model: 'm', ...more })

  test('counts: its own length, and its own number of answers', async () => {
    const models = [{ name: 'm', targets: [target('up', { set: { max_tokens: 600, n: 2 } })] }]
    await using at = await houseOf('openai-compatible', { models })
    const key = await makeKey(at.house, { quota: 1000 })
    const refused = await chatWith(at.house, key, { model: 'm', max_tokens: 1 })
    expect(refused.status).toBe(429)
    expect(at.upstream.requests).toHaveLength(0)
    expect(await asked(at.house, at.upstream, '/v1/chat/completions', { max_tokens: 1 }, 2000)).toEqual({ max_tokens: 600 })
  })

  test('the name it strips is not the one that holds it', async () => {
    const models = [{ name: 'm', targets: [target('up', { strip: ['max_tokens'] })] }]
    await using at = await houseOf('openai-compatible', { models })
    expect(await asked(at.house, at.upstream, '/v1/chat/completions', {})).toEqual({ max_completion_tokens: 8192 })
  })

  test('one of OpenAI among others: the name they all know', async () => {
    await using upstream = await scriptedUpstream(() => Response.json(answer))
    const backends = Object.fromEntries(['vllm', 'openai'].map(type => [type, { type, base_url: upstream.url }]))
    await using house = await openHouse({ yaml: { backends, models: [{ name: 'm', targets: [target('vllm'), target('openai')] }] } })
    expect(await asked(house, upstream, '/v1/chat/completions', {})).toEqual({ max_completion_tokens: 8192 })
  })
})

describe('so much is set aside', () => {
  // the prompt is the same each time, and is known from the first row
  test.each<[string, string, string, object, (prompt: number) => number]>([
    ['a length', 'vllm', '/v1/chat/completions', { max_tokens: 100 }, prompt => prompt + 100],
    ['none', 'vllm', '/v1/chat/completions', {}, prompt => prompt + 8192],
    ['the longer of two', 'vllm', '/v1/chat/completions', { max_tokens: 100, max_completion_tokens: 300 }, prompt => prompt + 300],
    ['three answers', 'vllm', '/v1/chat/completions', { max_tokens: 100, n: 3 }, prompt => prompt + 300],
    ['the best of five', 'openai-compatible', '/v1/completions', { max_tokens: 100, n: 2, best_of: 5 }, prompt => prompt + 500],
    ['the best of five, as a text', 'openai-compatible', '/v1/completions', { max_tokens: 100, best_of: '5' }, prompt => prompt + 500],
    ['four answers of llama-server', 'llamacpp', '/v1/chat/completions', { max_tokens: 100, n: 1, n_cmpl: 4 }, prompt => prompt + 400],
    ['four answers, in capitals', 'openai-compatible', '/v1/chat/completions', { max_tokens: 100, N: 4 }, prompt => prompt + 400],
    ['what llama-server believes', 'llamacpp', '/v1/chat/completions', { max_tokens: 100, n_predict: 900 }, prompt => prompt + 900],
  ])('%s (%s %s)', async (_name, type, path, fields, expected) => {
    const release = Promise.withResolvers<void>()
    await using upstream = await scriptedUpstream(() => release.promise.then(() => Response.json(answer)))
    await using house = await openHouse({ yaml: { backends: { up: { type, base_url: upstream.url } }, default_backend: 'up' } })
    const payload = { model: 'm', ...bodies[path], ...fields }
    const operation = path === '/v1/completions' ? 'completions' : 'chat.completions'
    const key = await makeKey(house, { quota: 10_000_000 })
    const response = postWith(house, key, path, payload)
    await comesTrue(() => upstream.requests.length === 1, 'the request is there')
    const { reserved } = await balanceOf(house, key)
    expect(reserved).toBe(expected(house.serving.gateway.tokens.bound(payload as never, operation)))
    release.resolve()
    await (await response).text()
    expect(await balanceOf(house, key)).toMatchObject({ used: 5, reserved: 0 })
  })

  test.each<[string, object]>([
    ['/v1/embeddings', { input: Array.from({ length: 20 }, () => 'word '.repeat(100)) }],
    ['/v1/completions', { prompt: Array.from({ length: 20 }, () => 'word '.repeat(100)), max_tokens: 1 }],
    ['/v1/rerank', { query: 'word', documents: Array.from({ length: 20 }, () => 'word '.repeat(100)) }],
  ])('%s: each of many prompts may fill the context of a small model', async (path, fields) => {
    const release = Promise.withResolvers<void>()
    await using upstream = await scriptedUpstream(() => release.promise.then(() => Response.json({ ...answer, data: [], results: [] })))
    await using house = await openHouse({
      yaml: {
        backends: { up: { type: 'vllm', base_url: upstream.url } },
        models: [{ name: 'm', targets: [{ backend: 'up', model: 'm' }], context_length: 512 }],
      },
    })
    const key = await makeKey(house, { quota: 10_000_000 })
    const response = postWith(house, key, path, { model: 'm', ...fields })
    await comesTrue(() => upstream.requests.length === 1, 'the request is there')
    const { reserved } = await balanceOf(house, key)
    expect(reserved).toBeWithin(20 * 500, 20 * 512 + 21)
    release.resolve()
    await (await response).text()
  })
})
