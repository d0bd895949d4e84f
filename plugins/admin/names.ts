/** `quota_period` as `quotaPeriod`: what the API calls it, as the records do. */
export const toStored = <T>(fields: object): T =>
  rename(fields, name => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())) as T

/** `quotaPeriod` as `quota_period`. */
export const toShown = (fields: object): Record<string, unknown> =>
  rename(fields, name => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`))

const rename = (fields: object, to: (name: string) => string) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [to(name), value]))
