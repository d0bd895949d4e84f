import { randomBytes } from 'node:crypto'

/** The headers OpenAI puts on its answers. */
export function openaiHeaders(): Record<string, string> {
  return {
    'x-request-id': `req_${randomBytes(16).toString('hex')}`,
    'openai-organization': 'org-fake',
    'openai-processing-ms': '12',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-limit-tokens': '200000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-remaining-tokens': '199982',
    'x-ratelimit-reset-requests': '8.64s',
    'x-ratelimit-reset-tokens': '5ms',
  }
}
