/**
 * How many bytes of UTF-8 a token has on average. Measured with o200k_base on texts of 25 to 60 KB: English and source code
 * 3.9 to 4.9, other European languages 4.1 to 4.3, Chinese, Japanese and Korean 3.7 to 4.2, Russian 5.8, Hindi 7.0, a lock
 * file full of hashes 2.5.
 */
const bytesPerToken = 4

/** About how many tokens texts have, without a tokenizer: within a quarter for most, and never less than a quarter. */
export const estimateTokens = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / bytesPerToken), 0)
