import type { RouteContext } from '../../context.ts'
import { modelNotFound } from '../../errors.ts'
import type { Route } from '../../gateway.ts'
import { trimSlashes } from '../../http/paths.ts'
import { assertMayUse } from '../../judge-model.ts'
import type { OutputLine } from '../../processes/output-buffer.ts'
import type { ServerProcess, Supervisor } from '../../processes/supervisor.ts'
import { answer, mayUseIt, noStore } from './answers.ts'
import { readLogQuery } from './log-query.ts'
import { streamLines } from './log-stream.ts'
import { findModelPath } from './model-path.ts'

const common = { method: 'GET', access: 'named', limited: true, body: 'none' } as const

/** `/logs`, `/logs/{model}` and `/logs/{model}/stream`: what the programs of the models write, as far as it is kept. */
export function logRoutes(processes: Pick<Supervisor, 'get' | 'list'>, stopping: () => boolean): Route[] {
  const find = ({ path, principal, params }: RouteContext) => {
    const found = findModelPath(trimSlashes(path).slice('/logs/'.length), name => processes.get(name) !== undefined)
    const process = found && processes.get(found.model)
    if (!process) throw modelNotFound((params['*'] ?? '').replace(/\/stream$/, ''))
    assertMayUse(principal, process.model, undefined)
    return { process, rest: found?.rest ?? '' }
  }
  return [
    {
      ...common,
      path: '/logs',
      handle({ principal }) {
        const models = processes.list().filter(({ model }) => mayUseIt(principal, model))
        return answer({ data: models.map(({ model }) => ({ model, lines: processes.get(model)?.output.lines().length ?? 0 })) })
      },
    },
    {
      ...common,
      path: '/logs/*',
      handle(ctx) {
        const { process, rest } = find(ctx)
        if (rest === '') return linesOf(process, ctx)
        if (rest !== '/stream') throw modelNotFound(ctx.params['*'] ?? '')
        const isOver = () => stopping() || processes.get(process.model) !== process
        return streamLines(ctx, process.output, readLogQuery(ctx, process.output), isOver)
      },
    },
  ]
}

function linesOf({ output }: ServerProcess, ctx: RouteContext): Response {
  const lines = output.lines(readLogQuery(ctx, output))
  if (ctx.request.headers.get('accept')?.includes('application/json')) return answer({ data: lines })
  return new Response(lines.map(textOf).join(''), {
    // what a model server writes may look like a page
    headers: { ...noStore, 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  })
}

const textOf = ({ text }: OutputLine) => `${text}\n`
