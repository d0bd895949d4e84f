import { type Config, type Gateway, matchesGlob, type Supervisor } from 'gatehouse'
import { type Admission, type AdmissionOptions, createAdmission, type Readiness } from './admission/admission.ts'
import { createTargets, type Targets, type TargetsOptions, type Warmth } from './targets/targets.ts'

/** Who waits where, and how targets did lately: what outlives a reload. */
export interface Traffic {
  readonly admission: Admission
  readonly targets: Targets
  /** Goes by this from now on, unless it already goes by something later. */
  follow(rules: Rules): void
  close(): void
}

/** What a generation of the config says. */
export interface Rules {
  /** Generations count from 1. */
  readonly generation: number
  readonly config: Pick<Config, 'queue' | 'breaker' | 'timeouts'>
  readonly keys: Pick<Gateway['keys'], 'get'>
  readonly capacityOf: (id: string) => Capacity | undefined
  /** The name of the process that is a target; undefined for one that is none. */
  readonly processOf: (id: string) => string | undefined
  /** The target that a process is. */
  readonly idOf: (model: string) => string
}

/** What a target takes. */
export interface Capacity {
  readonly slots: number
  readonly sharedTokens?: number | undefined
}

/** Waiting times are looked at this often. */
const lookEveryMs = 500

/** Nobody waits, and nothing is known of any target. */
export function createTraffic(processes: Supervisor, first: Rules): Traffic {
  let rules = first
  const admission = createAdmission(admissionOptions(rules, processes))
  const targets = createTargets(targetsOptions(rules, processes))
  const timer = setInterval(admission.look, lookEveryMs)
  timer.unref()
  processes.watch({
    claimsOf: model => admission.claims(rules.idOf(model)),
    queuedOf: model => admission.queued(rules.idOf(model)),
    onChange: admission.look,
  })
  return {
    admission,
    targets,
    follow(next) {
      if (next.generation <= rules.generation) return
      rules = next
      admission.configure(admissionOptions(rules, processes))
      targets.configure(targetsOptions(rules, processes))
    },
    close: () => clearInterval(timer),
  }
}

function admissionOptions({ config, keys, capacityOf, processOf, idOf }: Rules, processes: Supervisor): AdmissionOptions {
  const { max_length: maxLength, max_per_key: maxPerKey = maxLength, weights } = config.queue
  const shares = Object.entries(weights)
  return {
    slotsOf: id => capacityOf(id)?.slots ?? Number.POSITIVE_INFINITY,
    memoryOf: id => capacityOf(id)?.sharedTokens ?? Number.POSITIVE_INFINITY,
    weightOf(id) {
      if (shares.length === 0) return 1
      const name = keys.get(Number(id))?.name ?? id
      return shares.find(([pattern]) => matchesGlob(pattern, name))?.[1] ?? 1
    },
    limits: { maxLength, maxPerKey, maxWaitMs: config.timeouts.queue },
    readinessOf(id): Readiness {
      const model = processOf(id)
      if (model === undefined) return 'ready'
      const state = processes.get(model)?.state
      return state === 'ready' || state === 'starting' ? state : 'stopped'
    },
    blockersOf(id) {
      const model = processOf(id)
      return model === undefined ? [] : processes.blockersOf(model).map(idOf)
    },
    onRest: () => processes.look(),
  }
}

function targetsOptions({ config, processOf }: Rules, processes: Supervisor): TargetsOptions {
  const { enabled, failures, failure_rate: failureRate, min_requests: minRequests, window, cooldown, max_cooldown } = config.breaker
  return {
    breaker: { enabled, failures, failureRate, minRequests, windowMs: window, cooldownMs: cooldown, maxCooldownMs: max_cooldown },
    warmthOf(id): Warmth {
      const model = processOf(id)
      if (model === undefined) return 'loaded'
      const state = processes.get(model)?.state
      return state === 'ready' ? 'loaded' : state === 'starting' ? 'loading' : 'cold'
    },
  }
}
