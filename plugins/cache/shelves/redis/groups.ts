/** Models in a fixed number of groups: clients make up names, and for each there would be a counter that stays for ever. */
export interface Groups {
  /** The group of a model; its name is remembered. */
  of(model: string): string
  /** The models of a group that were asked for, or undefined when those are too many to remember. */
  models(group: string): readonly string[] | undefined
}

const groupCount = 256
/** Of one group, and how long. */
const mostNames = 32
const longestName = 256

/** Nothing remembered yet. */
export function createGroups(): Groups {
  const remembered = new Map<string, Set<string> | 'many'>()
  return {
    of(model) {
      const group = String(Bun.hash.xxHash32(model) % groupCount)
      const names = remembered.get(group) ?? new Set()
      if (names === 'many' || names.has(model)) return group
      remembered.set(group, names.size < mostNames && model.length <= longestName ? names.add(model) : 'many')
      return group
    },
    models(group) {
      const names = remembered.get(group)
      return names === 'many' ? undefined : [...(names ?? [])]
    },
  }
}
