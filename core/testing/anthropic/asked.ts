import type { Asked } from '../behaviour/scenario.ts'
import { parts, record, records, textOf } from '../openai/asked.ts'

/** What a request to `/v1/messages` asks for. */
export function askedOfAnthropic(body: Readonly<Record<string, unknown>>): Asked {
  const { messages, ...parameters } = body
  const list = records(messages)
  const blocks = list.flatMap(message => parts(message.content))
  const last = list.at(-1)
  return {
    model: String(body.model ?? ''),
    tools: records(body.tools).map(tool => ({ name: String(tool.name ?? ''), parameters: tool.input_schema })),
    toolTexts: parts(last?.content)
      .filter(block => block.type === 'tool_result')
      .map(block => textOf(block.content)),
    imageSizes: blocks
      .filter(block => block.type === 'image')
      .map(block => Buffer.from(String(record(block.source).data ?? ''), 'base64').length),
    wantsJson: false,
    thinks: record(body.thinking).type !== 'disabled',
    parameters,
  }
}
