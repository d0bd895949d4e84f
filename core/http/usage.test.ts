import { describe, expect, test } from 'bun:test'
import { everySplit } from '../testing/split-bytes.ts'
import { countUsage, usageObserver } from './usage.ts'

const encoder = new TextEncoder()
const fresh = () => ({ promptTokens: 0, completionTokens: 0 })

describe('whole answers', () => {
  const counted = (json: unknown) => {
    const total = { promptTokens: 100, completionTokens: 10 }
    countUsage(total, json)
    return [total.promptTokens - 100, total.completionTokens - 10]
  }

  test('OpenAI', () => expect(counted({ usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } })).toEqual([7, 5]))
  test('embeddings', () => expect(counted({ usage: { prompt_tokens: 7, total_tokens: 7 } })).toEqual([7, 0]))
  test('rerank, which knows only the total', () => expect(counted({ usage: { total_tokens: 9 } })).toEqual([9, 0]))
  test('Responses count cached tokens as input', () => {
    expect(counted({ usage: { input_tokens: 7, input_tokens_details: { cached_tokens: 4 }, output_tokens: 5 } })).toEqual([7, 5])
  })
  test('Anthropic does not', () => {
    const usage = { input_tokens: 7, cache_creation_input_tokens: 20, cache_read_input_tokens: 300, output_tokens: 5 }
    expect(counted({ type: 'message', usage })).toEqual([327, 5])
  })
  test('OpenAI figures beside Anthropic ones already hold the cached tokens', () => {
    expect(counted({ usage: { prompt_tokens: 307, cache_read_input_tokens: 300, completion_tokens: 5 } })).toEqual([307, 5])
  })
  test("llama-server's own routes", () => expect(counted({ content: 'x', tokens_evaluated: 7, tokens_predicted: 5 })).toEqual([7, 5]))
  test('nothing to count', () => {
    for (const json of [
      null,
      'x',
      [],
      {},
      { usage: null },
      { usage: { prompt_tokens: 'x', completion_tokens: -1 } },
      { usage: { type: 'duration', seconds: 3 } },
    ]) {
      expect(counted(json)).toEqual([0, 0])
    }
  })
})

describe('streams', () => {
  const anthropic = [
    'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":7,"cache_read_input_tokens":20,"output_tokens":1}}}\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":"say \\"usage\\": é"}}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","usage":{"input_tokens":0,"output_tokens":4}}\n\n',
    'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":9}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
  ].join('')
  const streams: Record<string, [stream: string, prompt: number, completion: number]> = {
    'Anthropic, cumulative': [anthropic, 27, 9],
    Responses: [
      'data: {"type":"response.created","response":{"usage":null}}\r\n\r\ndata: {"type":"response.completed","response":{"usage":{"input_tokens":7,"output_tokens":5}}}\r\n\r\n',
      7,
      5,
    ],
    'a last event without its blank line': [
      'data: {"type":"response.incomplete","response":{"usage":{"input_tokens":7,"output_tokens":2}}}',
      7,
      2,
    ],
    'OpenAI, on every chunk and at the end': [
      'data: {"choices":[{}],"usage":{"prompt_tokens":7,"completion_tokens":1}}\n\ndata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\ndata: [DONE]\n\n',
      7,
      3,
    ],
    'infill of llama-server': [
      'data: {"content":"a","tokens_predicted":1,"tokens_evaluated":7}\n\ndata: {"stop":true,"tokens_predicted":2,"tokens_evaluated":7}\n\n',
      7,
      2,
    ],
    'broken JSON': ['data: {"usage":\n\n', 0, 0],
  }
  for (const [name, [stream, promptTokens, completionTokens]] of Object.entries(streams)) {
    test(name, () => {
      for (const chunks of everySplit(encoder.encode(stream), 10)) {
        const total = fresh()
        const observer = usageObserver(total)
        for (const chunk of chunks) observer.chunk?.(chunk)
        observer.end?.('complete')
        expect(total).toEqual({ promptTokens, completionTokens })
      }
    })
  }

  test('what was reported before the client left is counted, on top of earlier rounds', () => {
    const total = { promptTokens: 100, completionTokens: 10 }
    const observer = usageObserver(total)
    observer.chunk?.(encoder.encode(anthropic.slice(0, anthropic.indexOf('event: content_block'))))
    expect(total).toEqual({ promptTokens: 127, completionTokens: 11 })
  })
})
