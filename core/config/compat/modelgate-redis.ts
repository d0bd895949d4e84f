import { asText, type Take } from './rules.ts'

/** ModelGate's three keys of Redis, which make one address: each call adds one of them to what was said so far. */
export const redis =
  (key: keyof typeof words): Take =>
  (value, spot) => {
    const parts = spot.draft.modelgateRedis
    const text = asText(value)
    if (typeof text !== 'string') return spot.complain(words[key])
    parts[key] = text
    const { addr = 'localhost:6379', password = '', db = '' } = parts
    const [, host, port] = /^(\[[\da-fA-F:.]+\]|[^\s:/@?#]+)(?::(\d{1,5}))?$/.exec(addr.trim()) ?? []
    const wrong = host === undefined ? 'addr' : /^\d*$/.test(db) ? undefined : 'db'
    if (wrong) {
      if (wrong === key) spot.complain(words[key])
      return
    }
    const secret = password === '' ? '' : `:${encodeURIComponent(password)}@`
    spot.put(['redis', 'url'], `redis://${secret}${host}:${port ?? 6379}${db === '' || db === '0' ? '' : `/${db}`}`)
  }

const words = {
  addr: 'must be HOST:PORT, for example localhost:6379',
  password: 'must be text in quotes',
  db: 'must be the number of a database, for example 0',
}
