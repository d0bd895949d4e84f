import type { Asked } from '../behaviour/scenario.ts'
import type { ToolOffer } from '../behaviour/tool-arguments.ts'

type Body = Readonly<Record<string, unknown>>

/** What a chat completion request asks for. */
export function askedOfMessages(body: Body): Asked {
  const { messages, ...parameters } = body
  const list = records(messages)
  return {
    model: String(body.model ?? ''),
    tools: body.tool_choice === 'none' ? [] : toolsOf(body.tools),
    toolTexts: trailing(list, message => message.role === 'tool').map(message => textOf(message.content)),
    imageSizes: list.flatMap(message => parts(message.content)).flatMap(part => imageSize(part, 'image_url')),
    wantsJson: String(record(body.response_format).type ?? 'text').startsWith('json'),
    thinks: record(body.chat_template_kwargs).enable_thinking !== false && body.reasoning_effort !== 'none',
    parameters,
  }
}

/** What a request to `/v1/responses` asks for. */
export function askedOfInput(body: Body): Asked {
  const { input, ...parameters } = body
  const items = records(input)
  const format = record(record(body.text).format)
  return {
    model: String(body.model ?? ''),
    tools:
      body.tool_choice === 'none' ? [] : records(body.tools).map(tool => ({ name: String(tool.name ?? ''), parameters: tool.parameters })),
    toolTexts: trailing(items, item => item.type === 'function_call_output').map(item => textOf(item.output)),
    imageSizes: items.flatMap(item => parts(item.content)).flatMap(part => imageSize(part, 'input_image')),
    wantsJson: String(format.type ?? 'text').startsWith('json'),
    thinks: record(body.reasoning).effort !== 'none',
    parameters,
  }
}

/** What a request without a conversation asks for: text, and no tools. */
export function askedOfPrompt(body: Body): Asked {
  const { prompt: _prompt, input: _input, ...parameters } = body
  const model = String(body.model ?? '')
  return { model, tools: [], toolTexts: [], imageSizes: [], wantsJson: false, thinks: false, parameters }
}

function toolsOf(tools: unknown): ToolOffer[] {
  return records(tools).map(tool => {
    const { name, parameters } = record(tool.function)
    return { name: String(name ?? ''), parameters }
  })
}

function imageSize(part: Body, type: string): number[] {
  if (part.type !== type) return []
  const url = typeof part.image_url === 'string' ? part.image_url : String(record(part.image_url).url ?? '')
  // A real server would fetch another URL; the fake only says that it got one.
  const [, data] = /^data:[^,]*;base64,(.*)$/s.exec(url) ?? []
  return [data === undefined ? 0 : Buffer.from(data, 'base64').length]
}

/** The elements at the end of a conversation for which `wanted` holds. */
export function trailing(list: readonly Body[], wanted: (item: Body) => boolean): Body[] {
  return list.slice(list.findLastIndex(item => !wanted(item)) + 1)
}

/** The text of a content that is a string or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return parts(content)
    .map(part => String(part.text ?? ''))
    .join('')
}

/** The parts of a content, none when it is a string. */
export function parts(content: unknown): Body[] {
  return Array.isArray(content) ? records(content) : []
}

/** The value as a list of objects; empty when it is no list. */
export function records(value: unknown): Body[] {
  return Array.isArray(value) ? value.map(record) : []
}

/** The value as an object; an empty one when it is none. */
export function record(value: unknown): Body {
  return typeof value === 'object' && value !== null ? (value as Body) : {}
}
