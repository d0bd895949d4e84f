import type { StoredSecret } from './keys.ts'

/** A new API key. The secret is shown once and kept nowhere. */
export interface NewSecret extends StoredSecret {
  readonly secret: string
}

/** No `-` and `_` as base64url has: a double click selects all of it, and it never begins like a flag. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 62^43 is just above 2^256. */
const length = 43
/** How much of it is kept to recognise it by: 7 of the 43; the other 36 are still 214 bits. */
const kept = 'sk-'.length + 7

/**
 * Makes a key: `sk-`, as clients and scanners expect it, and 256 random bits. Without a checksum: that would let somebody
 * reject a mistyped key without looking it up, and looking it up takes less than a microsecond.
 */
export function generateKey(
  randomBytes: (count: number) => Uint8Array = count => crypto.getRandomValues(new Uint8Array(count)),
): NewSecret {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 is 4 × 62: beyond it some letters would be more likely than others
      if (byte < 248 && text.length < length) text += alphabet[byte % 62]
    }
  }
  const secret = `sk-${text}`
  return { secret, sha256: new Bun.CryptoHasher('sha256').update(secret).digest('hex'), prefix: secret.slice(0, kept) }
}
