/** SHA-256 in hexadecimal; of a text, that of its UTF-8. */
export const digest = (data: Uint8Array | string): string => Bun.SHA256.hash(data, 'hex')
