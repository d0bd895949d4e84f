import { ConfigError } from '../errors.ts'
import { readArguments, readTask, refuseOthers, takesNothing } from './arguments.ts'
import { type CacheStats, cacheLines } from './cache-lines.ts'
import { cacheHelp } from './help.ts'
import { print } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'
import { json, text } from './table/texts.ts'

/** `gatehouse cache stats` and `gatehouse cache clear`. */
export async function cacheCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('cache', args, { ...remoteOptions, model: { type: 'string' } })
  if (values.help) return print(cacheHelp)
  const [task, rest] = readTask('cache', positionals, ['stats', 'clear'])
  takesNothing(`cache ${task}`, rest, 'cache')
  refuseOthers('cache', task, values, { model: ['clear'] })
  const { model } = values
  if (model?.trim() === '') throw new ConfigError('--model is empty; left out, all answers are forgotten')
  const remote = await findRemote(values)
  if (task === 'stats') {
    const stats = await remote.ask('GET', '/admin/cache')
    return print(values.json ? json(stats) : text(cacheLines(stats as CacheStats)))
  }
  const answer = await remote.ask('DELETE', `/admin/cache${model === undefined ? '' : `?model=${encodeURIComponent(model)}`}`)
  return print(values.json ? json(answer) : text([forgotten(Number(answer.cleared), model)]))
}

function forgotten(cleared: number, model: string | undefined): string {
  const whose = model === undefined ? '' : ` of ${model}`
  return `${cleared} ${cleared === 1 ? 'answer' : 'answers'}${whose} forgotten`
}
