import { type AnswerFrame, finishReason, type OllamaAnswer, type OpenAIUsage, reasoning, unreadable, usageOf } from './answer.ts'
import { completionLogprobs } from './logprobs.ts'
import type { Translator } from './stream.ts'
import { isString, type Json } from './values.ts'

/** Whole /api/generate answers, one per prompt, as one completion. Throws a 502 when they are not answers. */
export function toCompletion(answers: readonly OllamaAnswer[], echoes: readonly string[], frame: AnswerFrame): Json {
  const choices = answers.map((answer, index) => {
    if (!isString(answer.response)) throw unreadable()
    const echo = echoes[index] ?? ''
    return {
      index,
      text: echo + answer.response,
      ...reasoning(answer.thinking),
      logprobs: completionLogprobs(answer.logprobs, echo.length),
      finish_reason: finishReason(answer),
    }
  })
  const usage = answers.map(usageOf).reduce(addUsage, noUsage)
  return { id: frame.id, object: 'text_completion', created: frame.created, model: frame.model, choices, usage }
}

/** Writes the lines of streamed /api/generate answers, one prompt's after the other's, as completion chunks. */
export function generateTranslator(echoes: readonly string[], frame: AnswerFrame): Translator {
  let index = 0
  let offset = 0
  let usage = noUsage
  let echo = echoes[0] ?? ''

  const chunk = (choices: readonly unknown[], extra: Json = {}) => ({
    id: frame.id,
    object: 'text_completion',
    created: frame.created,
    model: frame.model,
    choices,
    ...extra,
  })
  const textChunk = (text: string, extra: Json = {}) => chunk([{ index, text, logprobs: null, finish_reason: null, ...extra }])

  return {
    line(answer) {
      const { response, thinking } = answer
      if (!isString(response)) return undefined
      const events: unknown[] = []
      if (echo !== '') events.push(textChunk(echo))
      offset += echo.length
      echo = ''
      const logprobs = completionLogprobs(answer.logprobs, offset)
      offset += response.length
      if (response !== '' || thinking || logprobs) events.push(textChunk(response, { ...reasoning(thinking), logprobs }))
      if (!answer.done) return events
      events.push(textChunk('', { finish_reason: finishReason(answer) }))
      usage = addUsage(usage, usageOf(answer))
      index++
      offset = 0
      echo = echoes[index] ?? ''
      return events
    },
    end: () => [chunk([], { usage })],
  }
}

const noUsage: OpenAIUsage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }

const addUsage = (sum: OpenAIUsage, more: OpenAIUsage): OpenAIUsage => ({
  prompt_tokens: sum.prompt_tokens + more.prompt_tokens,
  completion_tokens: sum.completion_tokens + more.completion_tokens,
  total_tokens: sum.total_tokens + more.total_tokens,
})
