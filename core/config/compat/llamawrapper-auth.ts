import { readFlag } from '../amounts.ts'
import { isMapping, type Path } from '../tree.ts'
import { asText, type Spot, type Take, warnUnknown } from './rules.ts'

const known = ['enabled', 'keys', 'admin_keys']

/** Later versions of LlamaWrapper had keys in the file. A file that asks for a key must not open the gateway. */
export const auth: Take = (value, spot) => {
  const { enabled, keys, admin_keys: adminKeys, ...others } = isMapping(value) ? value : { enabled: value }
  for (const name of Object.keys(others)) warnUnknown(spot.at([name]), name, known, 'LlamaWrapper')
  const asks = readFlag(enabled)
  const isLeftOut = enabled === undefined || enabled === null || enabled === ''
  if (asks === undefined && !isLeftOut) {
    return isMapping(value)
      ? spot.at(['enabled']).complain('must be true or false')
      : spot.complain('must be a mapping such as { enabled: true, keys: [a] }')
  }
  if (asks === false) return
  const found = [takeFirst(keys, 'keys', ['api_key'], spot), takeFirst(adminKeys, 'admin_keys', ['admin', 'api_key'], spot)]
  if (isLeftOut && found.includes(true)) spot.warn('enabled is missing; the keys count all the same')
  if (!asks || found[0]) return
  spot.put(['auth'], 'required')
  spot.warn('asks for a key and names none, so gatehouse makes one, unless API_KEY sets it (auth: required)')
}

/** Takes the first key that is one. A text is a list of one key. */
function takeFirst(keys: unknown, name: string, path: Path, spot: Spot): boolean {
  if (isMapping(keys)) spot.at([name]).complain('must be a list such as [a, b]')
  const list = Array.isArray(keys) ? keys : isMapping(keys) ? [] : [keys]
  const usable = [...list.entries()].filter(([, key]) => key !== undefined && key !== null && String(key).trim() !== '')
  const [first, ...more] = usable
  if (!first) return false
  spot.at(Array.isArray(keys) ? [name, first[0]] : [name]).put(path, asText(first[1]))
  if (more.length > 0) spot.at([name]).warn('only the first key is taken over')
  return true
}
