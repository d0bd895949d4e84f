import { asText, type Take } from './rules.ts'

/** ModelGate's three keys of Redis, which make one address: each call adds one of them to what was said so far. */
export const redis =
  (key: 'addr' | 'password' | 'db'): Take =>
  (value, spot) => {
    const parts = spot.draft.modelgateRedis
    parts[key] = asText(value)
    const { addr = 'localhost:6379', password = '', db = '' } = parts as Readonly<Record<string, string | undefined>>
    const [, host, port] = /^(\[[\da-fA-F:.]+\]|[^\s:/@?#]+)(?::(\d{1,5}))?$/.exec(String(addr).trim()) ?? []
    const wrong = host === undefined ? 'addr' : /^\d*$/.test(String(db)) ? undefined : 'db'
    if (wrong) {
      if (wrong === key)
        spot.complain(`must be ${wrong === 'db' ? 'the number of a database, for example 0' : 'HOST:PORT, for example localhost:6379'}`)
      return
    }
    const secret = password === '' ? '' : `:${encodeURIComponent(String(password))}@`
    spot.put(['redis', 'url'], `redis://${secret}${host}:${port ?? 6379}${db === '' || db === '0' ? '' : `/${db}`}`)
  }
