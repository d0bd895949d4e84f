import type { Message } from 'gatehouse'
import { type Picture, readResult } from './result.ts'
import type { ToolFailure } from './run-tool.ts'
import type { ToolResult } from './tool-house.ts'
import { truncate } from './truncate.ts'

/** A call as its model hears of it. */
export interface Answered {
  readonly tool: string
  readonly text: string
  readonly pictures: readonly Picture[]
}

/** A result for the model; that of a tool which failed is an error in JSON, as are all others. */
export function answerOf(tool: string, result: ToolResult, mostBytes: number): Answered {
  const { text, pictures } = readResult(result, mostBytes)
  const cut = truncate(text, mostBytes)
  return { tool, text: result.isError ? errorText(cut || 'the tool failed') : cut, pictures }
}

/** What LlamaGate said of calls that came to nothing, as JSON that can be read. */
export function failureText({ why, message }: ToolFailure, mostBytes: number): string {
  return errorText(truncate(`${why === 'denied' ? 'Tool call denied' : 'Tool execution failed'}: ${message}`, mostBytes))
}

/** OpenAI's servers take no pictures in the answer of a tool; they follow in a message of the user. */
export function picturesMessage(answered: readonly Answered[]): Message | undefined {
  const content = answered
    .filter(({ pictures }) => pictures.length > 0)
    .flatMap(({ tool, pictures }) => [
      { type: 'text', text: `Images that ${tool} gave back:` },
      ...pictures.map(({ mimeType, data }) => ({ type: 'image_url', image_url: { url: `data:${mimeType};base64,${data}` } })),
    ])
  return content.length > 0 ? { role: 'user', content } : undefined
}

const errorText = (error: string) => JSON.stringify({ error })
