/** A pattern of JSON Schema that also lets `${NAME}` pass: what comes of it is known only at the start. */
export const orVariable = (pattern: string): string => `${pattern}|\\$\\{`

/** `on` as `[oO][nN]`, because JSON Schema has no flag for it. */
export const anyCase = (word: string): string => word.replace(/[a-z]/g, letter => `[${letter}${letter.toUpperCase()}]`)
