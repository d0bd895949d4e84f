import { type Choice, type Group, groups } from './groups.ts'

/** What recommendations depend on. In GB. */
export interface Room {
  readonly ram: number
  readonly vram: number
  /** `vram` is a part of `ram`. */
  readonly unified: boolean
}

/** The kind of the machine, and models that fit on it, the best first. */
export interface Recommendation {
  /** `below_minimum` when the machine is smaller than every group. */
  readonly group: string
  readonly choices: readonly Choice[]
}

/** When fewer of its own group fit, smaller ones are added until there are as many. */
const enough = 3

/** Finds the group of a machine and what of it fits; nothing that does not fit is ever named. */
export function recommend(room: Room): Recommendation {
  const ofVram = groupFor('vram', room.vram)
  const ofRam = groupFor('ram', room.ram)
  const smaller = [...below(ofVram), ...(ofRam ? below(ofRam) : groups.filter(({ on }) => on === 'ram').slice(0, 1))]
  const chosen: Choice[] = []
  const own = ofVram ?? ofRam
  for (const group of smaller) {
    for (const choice of group.choices) {
      const known = chosen.some(({ model }) => model === choice.model)
      if (!known && fits(choice, room) && (group === own || chosen.length < enough)) chosen.push(choice)
    }
  }
  return { group: own?.id ?? 'below_minimum', choices: chosen }
}

function fits({ minRam, minVram, spills }: Choice, { ram, vram, unified }: Room): boolean {
  if (minRam > ram || minVram > vram) return false
  return !(spills && unified) || minRam + minVram <= ram
}

const groupFor = (on: Group['on'], size: number) => groups.findLast(group => group.on === on && size >= group.from)

/** The group and the smaller ones of its kind, the largest first. */
const below = (group: Group | undefined) => groups.filter(({ on, from }) => on === group?.on && from <= group.from).toReversed()
