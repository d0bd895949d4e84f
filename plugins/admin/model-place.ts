import { type Config, type Context, didYouMean, invalidRequest, type ModelSettings, type Models, placeTypes, readBaseUrl } from 'gatehouse'

/** Where a model is served. */
export type Place = Pick<ModelSettings, 'backend' | 'baseUrl'>

/**
 * The place as it is stored. Throws a 400 for one that nobody could reach: a type without an address, an address beside
 * the name of a configured backend, a backend that there is not. `sent` is what of it the request has said itself.
 */
export function checkPlace(
  { backend, baseUrl }: Place,
  sent: Partial<Place>,
  models: Models,
  config: Config,
  { url }: Pick<Context, 'url'>,
): Place {
  const names = models.offering().map(({ name }) => name)
  const isType = (placeTypes as readonly string[]).includes(backend)
  if (!isType && !names.includes(backend)) throw unknownBackend(backend, [...names, ...placeTypes])
  if (baseUrl !== null && isType) return { backend, baseUrl: readAddress(baseUrl, config, url) }
  if (baseUrl === null && names.includes(backend)) return { backend, baseUrl }
  if (baseUrl === null) {
    throw invalidRequest(
      `base_url is missing: "${backend}" is a kind of server, so it must be told where that is.`,
      'missing_field',
      'base_url',
    )
  }
  // the model was at an address of its own before, and is moved to a configured backend
  if (typeof sent.baseUrl !== 'string') return { backend, baseUrl: null }
  throw invalidRequest(
    `base_url does not go with "${backend}", which is configured with an address; leave it out, or send one of ${placeTypes.join(', ')} as backend.`,
    'invalid_value',
    'base_url',
  )
}

/** The 400 for the name of a backend that there is not. */
export const unknownBackend = (name: string, known: readonly string[]) => {
  const shown = name.slice(0, 60).toWellFormed()
  return invalidRequest(
    `There is no backend "${shown}"${didYouMean(shown, known) || `; there are ${known.join(', ')}.`}`,
    'unknown_backend',
    'backend',
  )
}

function readAddress(text: string, { host, port }: Config, { port: asked }: URL): string {
  // port 0 is any free one; the caller has found it
  const read = readBaseUrl(text, { host, port: port || Number(asked) })
  if ('problem' in read) throw invalidRequest(`base_url ${read.problem}.`, 'invalid_value', 'base_url')
  return read.url
}
