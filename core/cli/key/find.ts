import { ConfigError } from '../../errors.ts'
import type { Remote } from '../remote.ts'
import { askForRows } from '../table/pages.ts'
import { type Row, words } from '../table/texts.ts'

/** The id that a task is told. Throws a ConfigError when it is none, or not alone. */
export function readId(command: string, task: string, positionals: readonly string[]): number {
  const [text, second] = positionals
  const needs = `${command} ${task} needs the id of a ${command}, a whole number`
  if (text === undefined) throw new ConfigError(`${needs}; gatehouse ${command} list shows them`)
  if (second !== undefined) throw new ConfigError(`${command} ${task} takes one ${command} at a time, so "${second}" is too much`)
  if (!isId(text)) throw new ConfigError(`${needs}, not "${text}"; gatehouse ${command} list shows them`)
  return Number(text)
}

/** True for what ids look like. */
export const isId = (text: string): boolean => /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))

/** The key with an id, or with a name that no other key has. */
export async function findKey(remote: Remote, positionals: readonly string[]): Promise<Row> {
  const [given = '', ...more] = positionals
  const wanted = given.trim()
  if (wanted === '' || more.length > 0 || isId(wanted)) {
    return remote.ask('GET', `/admin/keys/${readId('key', 'show', positionals)}`)
  }
  const { data } = await askForRows(path => remote.ask('GET', path), '/admin/keys', Number.POSITIVE_INFINITY, { search: wanted })
  const [found, ...others] = data.filter(({ name }) => name === wanted)
  if (found === undefined) throw new ConfigError(`there is no key with the name "${wanted}"; gatehouse key list shows them`)
  if (others.length === 0) return found
  const ids = [found, ...others].map(({ id }) => words(id))
  throw new ConfigError(`${ids.length} keys have the name "${wanted}"; say which one by its id: ${ids.join(', ')}`)
}
