import { ConfigError } from '../../errors.ts'
import { type Check, type Finding, type NamedFinding, problem } from './finding.ts'

/** Makes all checks at once and answers in their order. One that throws, or takes longer than `limitMs`, is a problem of its own. */
export async function runChecks(checks: readonly Check[], limitMs: number): Promise<readonly NamedFinding[]> {
  const found = await Promise.all(
    checks.map(async ({ name, look }) => {
      const findings = await within(limitMs, look).catch((error: unknown) => reasons(error).map(reason => problem(reason)))
      return findings.map(finding => ({ name, ...finding }))
    }),
  )
  return found.flat()
}

async function within(limitMs: number, look: Check['look']): Promise<readonly Finding[]> {
  const controller = new AbortController()
  let timer: Timer | undefined
  const late = new Promise<readonly Finding[]>(resolve => {
    timer = setTimeout(() => resolve([problem(`could not be looked into within ${limitMs / 1000} s`)]), limitMs)
  })
  try {
    return await Promise.race([look(controller.signal), late])
  } finally {
    clearTimeout(timer)
    controller.abort()
  }
}

/** Our own complaints are meant to be read; of other errors the code and the name say enough, their message may quote anything. */
function reasons(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.message.split('\n')
  const { code } = error as { readonly code?: unknown }
  return [`could not be looked into (${typeof code === 'string' ? code : error instanceof Error ? error.name : typeof error})`]
}
