import * as v from 'valibot'
import { parseBaseUrl, parseHostName, parseListenHost, parseNetwork, parseOrigin } from './address.ts'
import { anyCase, orVariable } from './patterns.ts'
import { setting, showNothing, showValue } from './settings.ts'

const fromText =
  <T>(read: (text: string) => T | undefined) =>
  (value: unknown) =>
    typeof value === 'string' ? read(value) : undefined

const string = { type: 'string' }

/** Text that is not empty. A number is refused, because YAML has already dropped the zeros in front of it. */
export const text = setting(
  'text (a number or a date in quotes)',
  fromText(value => value.trim() || undefined),
  { json: { ...string, pattern: '\\S' } },
)

/** Text that must never be printed; empty means there is none. */
export const secretText = v.pipe(
  setting(
    'text in quotes',
    fromText(value => value),
    { json: { ...string, pattern: '^\\s*[ -~]*\\s*$' }, kind: 'secret' },
    showNothing,
  ),
  v.transform(value => value.trim() || undefined),
)

/** A key or a token. It comes or goes in a header, so that another text would be one nobody could ever show. */
export const secret = v.pipe(
  secretText,
  v.check(value => value === undefined || /^[ -~]+$/.test(value), 'must be text that may stand in a header: printable ASCII'),
)

const asWords = (value: unknown) =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined

/** An argument for another program, as it is; numbers and flags are what YAML makes of some. */
export const argument = setting(
  'text in quotes',
  asWords,
  { json: { type: ['string', 'number', 'boolean'] }, kind: 'argument' },
  showNothing,
)

/** A variable or a header for another program, as it is. May be secret. */
export const secretWords = setting(
  'text in quotes',
  asWords,
  { json: { type: ['string', 'number', 'boolean'] }, kind: 'secret' },
  showNothing,
)

/** A whole command line. */
export const commandLine = setting(
  'text in quotes',
  fromText(value => value.trim() || undefined),
  { json: { ...string, pattern: '\\S' }, kind: 'argument' },
  showNothing,
)

/** One of a few words. */
export const choice = <const Word extends string>(...words: readonly Word[]) =>
  setting(
    words.length === 1 ? `${words[0]} (the only one there is)` : `one of ${words.join(', ')}`,
    fromText(value => words.find(word => word === value.trim().toLowerCase())),
    { json: { anyOf: [{ enum: words }, { ...string, pattern: orVariable(`^\\s*(${words.map(anyCase).join('|')})\\s*$`) }] } },
  )

/** Where the gateway listens. */
export const listenHost = setting('an IP address or localhost (0.0.0.0 or :: for every interface)', fromText(parseListenHost), {
  json: string,
})

/** A host name as in a `Host` header. */
export const hostName = setting('a host name, without http:// and without a port', fromText(parseHostName), { json: string })

/** The origin of a browser page, or `*`. */
export const origin = setting(
  'an origin such as https://chat.example.org, or * for every origin',
  fromText(value => (value.trim() === '*' ? '*' : parseOrigin(value))),
  { json: string },
)

/** An address or a range of addresses. */
export const network = setting('an IP address or a range such as 10.0.0.0/8', fromText(parseNetwork), { json: string })

const baseUrlWords = 'an address that starts with http:// or https:// and has no ? or #, for example http://localhost:11434'
const baseUrlJson = { ...string, pattern: orVariable('^\\s*[hH][tT][tT][pP][sS]?://[^?#]+$') }
const withoutSecrets = (url: string) => url.replace(/^(\w+:\/\/)?.*@/, '$1…@').replace(/\?.*$/s, '?…')
const showUrl = (value: unknown) => showValue(typeof value === 'string' ? withoutSecrets(value) : value)

/** Address of an upstream server. */
export const baseUrl = setting(baseUrlWords, fromText(parseBaseUrl), { json: baseUrlJson }, showUrl)

/** Address of Ollama. The variable is Ollama's own too, and there it is written without http://. */
export const ollamaHost = setting(
  baseUrlWords,
  fromText(parseBaseUrl),
  { json: baseUrlJson },
  value => `${showUrl(value)}${typeof value === 'string' ? ollamasOwn(value.trim()) : ''}`,
)

/** `0.0.0.0`, `:11434`, `127.0.0.1:11434`: what Ollama itself takes. */
function ollamasOwn(text: string): string {
  const [, host, port = '11434'] = /^(localhost|\d+(?:\.\d+){3}|\[[\da-f:]+\]|)(?::(\d+))?$/i.exec(text) ?? []
  if (host === undefined || text === '') return ''
  const isBind = host === '' || host === '0.0.0.0' || host === '[::]'
  return isBind ? `; that is Ollama's own bind address; write http://localhost:${port}` : `; write http://${host}:${port}`
}

/** Address of something other than a backend. Its path and query may be secret. */
export const secretUrl = (...protocols: readonly string[]) =>
  setting(
    `an address that starts with ${protocols.map(protocol => `${protocol}://`).join(' or ')}`,
    fromText(value => (protocols.includes(URL.parse(value.trim())?.protocol.slice(0, -1) ?? '') ? value.trim() : undefined)),
    { json: { ...string, pattern: orVariable(`^\\s*(${protocols.map(anyCase).join('|')})://`) } },
    showNothing,
  )

/** Request headers for an upstream, checked the way fetch will check them. Values may be secret. */
export const headerValue = setting(
  'text in quotes that may stand in a header',
  fromText(readHeaderValue),
  { json: string, kind: 'secret' },
  showNothing,
)

function readHeaderValue(value: string): string | undefined {
  try {
    return new Headers([['x', value]]).get('x') ?? undefined
  } catch {
    return undefined
  }
}
