import { invalidRequest, type ModelSettings } from 'gatehouse'
import { type Given, mustBe, type Read, readFields, required } from './fields.ts'
import { toStored } from './names.ts'
import { flag, line, orNull, wholeNumber } from './values.ts'

/** What can be seen of a model and is not for admins to choose. */
const fixed = ['id', 'source', 'shadowed']

/** A name for a model. Only the config has names that stand for several. */
export const modelName: Read<string> = (value, field) => {
  const name = line(256)(value, field)
  if (name.includes('*')) throw mustBe(field, 'the name of one model; patterns with "*" stand in the models of gatehouse.yaml')
  return name
}

const fields = {
  name: modelName,
  backend: line(256),
  base_url: orNull(line(2048)),
  upstream_model: orNull(line(256)),
  enabled: flag,
}
const changing = { ...fields, version: wholeNumber(1) }

/** A whole model: enabled, and called the same at its backend, unless something else was sent. */
export function readModel(payload: object): ModelSettings {
  refuseKey(payload)
  const given: Given<typeof fields> = readFields(payload, fields, [...fixed, 'version'])
  const [name, backend] = [required(given.name, 'name'), required(given.backend, 'backend')]
  return { enabled: true, baseUrl: null, upstreamModel: null, ...toStored<Partial<ModelSettings>>(given), name, backend }
}

/** Some of a model, and the version it was seen in. */
export function readModelChange(payload: object): { readonly change: Partial<ModelSettings>; readonly version: number | undefined } {
  refuseKey(payload)
  const { version, ...given } = readFields(payload, changing, fixed)
  return { change: toStored(given), version }
}

/** ModelGate kept it in its database, in the clear. */
function refuseKey(payload: object): void {
  if (!Object.hasOwn(payload, 'api_key')) return
  throw invalidRequest(
    'The database keeps no keys of backends. Configure a backend with its api_key in gatehouse.yaml, and send its name as backend.',
    'unknown_field',
    'api_key',
  )
}
