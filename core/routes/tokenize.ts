import { invalidRequest, modelNotFound } from '../errors.ts'
import type { Gateway, Route, Tokens } from '../gateway.ts'
import { checkCall } from '../http/check.ts'
import { assertMayUse } from '../judge-model.ts'
import type { Payload } from '../openai.ts'

export interface TokenizeOptions extends Pick<Gateway, 'models'> {
  readonly tokens: Tokens
}

/** `POST /v1/tokenize`: how many tokens a model would count for `input` (a text or several) or for `messages` (with `tools`). */
export const tokenizeRoute = ({ models, tokens }: TokenizeOptions): Route => ({
  method: 'POST',
  path: '/v1/tokenize',
  access: 'key',
  limited: true,
  body: 'json',
  async handle({ payload, principal, signal }) {
    const operation = operationOf(payload)
    checkCall(operation, payload)
    if (operation === 'embeddings') checkInput(payload.input)
    const model = await models.resolve(payload.model)
    assertMayUse(principal, payload.model, model)
    if (!model) throw modelNotFound(payload.model)
    const { tokens: count, exact, method } = await tokens.count(payload, operation, model, signal)
    return Response.json({ tokens: count, exact, method })
  },
})

/** Texts are counted as embeddings have them: each by itself, with nothing around. */
function operationOf({ input, messages }: Readonly<Payload>): 'chat.completions' | 'embeddings' {
  const given = (value: unknown) => value !== undefined && value !== null
  if (given(input) && given(messages)) throw invalidRequest('Send either input or messages, not both.', 'invalid_field', 'messages')
  return given(messages) ? 'chat.completions' : 'embeddings'
}

function checkInput(input: unknown): void {
  if (typeof input === 'string') return
  const wrong = Array.isArray(input) && input.length > 0 ? input.findIndex(item => typeof item !== 'string') : undefined
  if (wrong === -1) return
  const at = wrong === undefined ? 'input' : `input[${wrong}]`
  throw invalidRequest('The input must be a text or a list of texts.', 'invalid_type', at)
}
