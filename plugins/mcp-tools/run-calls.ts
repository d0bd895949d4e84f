import type { Context, Message } from 'gatehouse'
import { type Answered, answerOf, failureText, picturesMessage } from './answers.ts'
import type { Catalogue } from './catalogue.ts'
import { nameOf } from './client-tools.ts'
import { isObject, type JsonObject, parseJson } from './json.ts'
import { inParallel } from './limited.ts'
import type { Limits } from './limits.ts'
import type { Progress } from './progress.ts'
import { type RunTool, ToolFailure } from './run-tool.ts'
import type { ToolOptions, ToolSettings } from './settings.ts'

/** What the calls of a request need. */
export interface CallsOptions {
  readonly ctx: Context
  /** Aborts also when only the stream is not wanted any more. */
  readonly signal: AbortSignal
  readonly tools: Catalogue
  readonly run: RunTool
  readonly refusal: (name: string) => string | undefined
  readonly limits: Limits
  readonly settings: Pick<ToolSettings, 'max_tool_result_size'> & Pick<ToolOptions, 'parallel_calls'>
  /** For clients that asked to be told. */
  readonly progress: Progress | undefined
}

/** What a round of calls adds to the conversation. */
export interface RoundResult {
  /** One for each call, in their order. */
  readonly answers: readonly Message[]
  /** The pictures among the results, for models that can see. */
  readonly pictures: Message | undefined
}

/** Runs the calls of one turn, several at a time. Rejects for limits and when the request is over; what else fails is told to the model. */
export async function runCalls(calls: readonly JsonObject[], options: CallsOptions): Promise<RoundResult> {
  const { ctx, limits, settings } = options
  limits.enter(calls.length)
  ctx.phase = 'tools'
  ctx.keepOut('a tool ran')
  try {
    const answered = await inParallel(calls, settings.parallel_calls, call => runCall(call, options))
    const messages = answered.map(({ text }, index): Message => ({ role: 'tool', tool_call_id: calls[index]?.id as string, content: text }))
    return { answers: messages, pictures: picturesMessage(answered) }
  } finally {
    limits.leave()
  }
}

async function runCall(
  call: JsonObject,
  { ctx, signal, tools, run, refusal, limits, settings, progress }: CallsOptions,
): Promise<Answered> {
  const name = nameOf(call) ?? ''
  const tool = tools.find(name)
  const { max_tool_result_size: mostBytes } = settings
  const begun = performance.now()
  const told = progress?.begin(tool?.documented ?? name)
  let outcome = 'ok'
  try {
    if (!tool) throw new ToolFailure('denied', refusal(name) ?? `tool ${name} is not offered`)
    const args = readArguments(call)
    if (!args) throw new ToolFailure('arguments', 'the arguments are not a JSON object')
    const { principal, id: requestId } = ctx
    const result = await run({
      tool,
      args,
      principal,
      requestId,
      signal,
      timeoutMs: limits.toolMs(),
      ...(told && { onProgress: told.progress }),
    })
    if (result.isError) outcome = 'error'
    return answerOf(tool.documented, result, mostBytes)
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    outcome = error.why
    return { tool: name, text: failureText(error, mostBytes), pictures: [] }
  } finally {
    told?.end()
    // nothing of arguments and results: they are what the client and its model talk about
    ctx.log.info({ tool: tool?.documented ?? name.slice(0, 200), outcome, ms: Math.round(performance.now() - begun) }, 'tool called')
  }
}

/** The arguments of a call; undefined when they are no JSON object. Nothing at all means none. */
export function readArguments(call: JsonObject): JsonObject | undefined {
  const given = isObject(call.function) ? call.function.arguments : undefined
  if (given === undefined || given === null || given === '') return {}
  const read = typeof given === 'string' ? parseJson(given) : given
  if (read === null) return {}
  return isObject(read) ? read : undefined
}
