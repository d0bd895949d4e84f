import { isMapping } from './tree.ts'

/** What stands in the place of a secret. */
export const hidden = '<secret>'

const words = ['api_key', 'apikey', 'token', 'password', 'secret', 'auth', 'authorization', 'credential', 'private']
const secretName = `[\\w.-]*(?:${words.join('|').replaceAll('_', '[_-]?')})[\\w.-]*`
const looksSecret = new RegExp(`^${secretName}$`, 'i')

/** LlamaGate's rule for names whose values are nobody's business; `x-api-key` is one as well as `api_key`. */
export const isSecretName = (name: string): boolean => looksSecret.test(name)

/** Addresses in a text, without their passwords and queries. */
export const maskUrls = (text: string): string =>
  text.replace(
    /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@'"]*@)?([^\s?#'"]*)(\?[^\s#'"]*)?/gi,
    (_, scheme: string, user = '', rest: string, query = '') => {
      return `${scheme}${user && `${hidden}@`}${rest}${query && `?${hidden}`}`
    },
  )

/** A command line, or one argument, without what looks like a secret: `--api-key=…`, `TOKEN=…`, `Authorization: …`, `sk-…`. */
export function maskText(text: string): string {
  const named = new RegExp(`(${secretName})(\\s*[=:]\\s*|\\s+(?!-))("[^"]*"|'[^']*'|(?:(?:bearer|basic)\\s+)?[^\\s"']+)`, 'gi')
  const known = /\b(?:sk|pk|rk|ghp|gho|ghs|glpat|hf|xox[abprs]|github_pat)[-_][\w-]{6,}/g
  return maskUrls(text)
    .replace(named, (_, name: string, between: string) => `${name}${between}${hidden}`)
    .replace(known, hidden)
}

/** The arguments of a program, without what looks like a secret: the one behind `--token` too. */
export const maskArguments = (args: readonly string[]): string[] =>
  args.map((argument, index) => {
    const before = args[index - 1] ?? ''
    return /^-/.test(before) && isSecretName(before.replace(/^-+/, '')) ? hidden : maskText(argument)
  })

/** Values that only a plugin understands: what stands under a secret name is hidden, however it looks. */
export function maskFree(value: unknown): unknown {
  if (typeof value === 'string') return maskUrls(value)
  if (Array.isArray(value)) return value.map(maskFree)
  if (!isMapping(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, isSecretName(key) ? hidden : maskFree(inner)]))
}
