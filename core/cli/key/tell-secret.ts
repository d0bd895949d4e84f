import { ConfigError } from '../../errors.ts'
import { print, printError } from '../output.ts'
import type { Row } from '../table/texts.ts'
import { keyName } from './lines.ts'

/** How a new secret is told. */
export interface TellOptions {
  readonly json: boolean
  /** Says nothing to people. */
  readonly quiet: boolean
  /** What was done to the key, for people. */
  readonly deed: string
}

/** Prints the secret in an answer, this once: alone on stdout, so that a script can take it. What people want to know is on stderr. */
export async function tellSecret(answer: Row, { json, quiet, deed }: TellOptions): Promise<void> {
  const { key } = answer
  if (typeof key !== 'string') throw new ConfigError(`${keyName(answer)} ${deed}, but the answer does not hold its secret`)
  try {
    if (!quiet && !json) await printError(`${keyName(answer)} ${deed}. The secret is shown this once:\n`)
    await print(json ? `${JSON.stringify(answer, null, 2)}\n` : `${key}\n`)
  } catch (cause) {
    const why = cause instanceof ConfigError ? cause.message : 'its secret could not be printed'
    throw new ConfigError(`${keyName(answer)} ${deed}, but ${why}; gatehouse key rotate ${String(answer.id)} makes another secret`, {
      cause,
    })
  }
}
