import { ConfigError } from '../errors.ts'
import { readArguments, takesNothing, wrongWord } from './arguments.ts'
import { type CacheStats, cacheLines } from './cache-lines.ts'
import { cacheHelp } from './help.ts'
import { print } from './output.ts'
import { findRemote, remoteOptions } from './remote.ts'

/** `gatehouse cache stats` and `gatehouse cache clear`. */
export async function cacheCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('cache', args, { ...remoteOptions, model: { type: 'string' } })
  if (values.help) return print(cacheHelp)
  const [task, ...rest] = positionals
  if (task !== 'stats' && task !== 'clear') {
    const not = task === undefined ? '' : `, not "${task}"`
    throw wrongWord(`cache needs stats or clear${not}`, task ?? '', ['stats', 'clear'], 'gatehouse cache --help says what they do')
  }
  takesNothing('cache', rest)
  const { model } = values
  if (task === 'stats' && model !== undefined) throw new ConfigError('--model is for cache clear')
  if (model?.trim() === '') throw new ConfigError('--model is empty; left out, all answers are forgotten')
  const remote = await findRemote(values)
  if (task === 'stats') {
    const stats = await remote.ask('GET', '/admin/cache')
    return print(values.json ? `${JSON.stringify(stats, null, 2)}\n` : `${cacheLines(stats as CacheStats).join('\n')}\n`)
  }
  const answer = await remote.ask('DELETE', `/admin/cache${model === undefined ? '' : `?model=${encodeURIComponent(model)}`}`)
  return print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : `${forgotten(Number(answer.cleared), model)}\n`)
}

function forgotten(cleared: number, model: string | undefined): string {
  const whose = model === undefined ? '' : ` of ${model}`
  return `${cleared} ${cleared === 1 ? 'answer' : 'answers'}${whose} forgotten`
}
