/** What may stand as `${…}` in the command of a model, its arguments, its variables and its `stop`. */
export const placeholders = ['PORT', 'MODEL_ID', 'API_KEY'] as const

/** What takes their places. */
export type Placeholders = Readonly<Record<(typeof placeholders)[number], string>>

/** A variable of the environment; undefined when it is not set. */
export type LookUp = (name: string) => string | undefined

/**
 * A word with what its placeholders stand for, and variables for `${env.NAME}`; anything else stays as it is. Throws a
 * sentence when such a variable is not set.
 */
export function fillIn(word: string, values: Placeholders, lookUp: LookUp): string {
  return word.replace(/\$\{(?:(env)\.)?(\w+)\}/g, (match, env: string | undefined, name: string) => {
    if (!env) return Object.hasOwn(values, name) ? values[name as keyof Placeholders] : match
    const value = lookUp(name)
    if (value === undefined) throw new Error(`the variable ${name} is needed, but not set`)
    return value
  })
}
