import { timingSafeEqual } from 'node:crypto'

/** Only hashes are kept and compared, so that nothing in memory or in a comparison's timing is the secret. */
export const sha256 = (secret: string): Uint8Array => new Bun.CryptoHasher('sha256').update(secret).digest()

/** The hash that is kept as hex. */
export const fromHex = (hex: string | undefined): Uint8Array | undefined => (hex === undefined ? undefined : Buffer.from(hex, 'hex'))

/** Compares two hashes in constant time. */
export const sameSecret = (a: Uint8Array, b: Uint8Array): boolean => a.byteLength === b.byteLength && timingSafeEqual(a, b)
