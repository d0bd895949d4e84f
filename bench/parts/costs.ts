import { cpuSeconds, residentTreeMb } from '../house/proc.ts'
import type { UpstreamProcess } from '../house/upstream.ts'
import type { Way } from '../house/ways.ts'

/** What a load found out about the answers. */
interface Answers {
  readonly total: number
  readonly wrong: number
  readonly firstWrong?: string
}

/** What a load cost the way it took. */
export interface Costs {
  /** Processor time per answer; 0 when the process is not known. */
  readonly cpuMicroseconds: number
  readonly residentMb: number
  /** What a rival did wrong; anybody else's mistake ends the run. */
  readonly complaint: string | undefined
}

/** Runs a load over a way, and says what it cost and whether the answers are to be trusted. */
export async function withCosts<Result extends Answers>(
  { name, pid, rival }: Way,
  upstream: UpstreamProcess,
  load: () => Promise<Result>,
): Promise<Result & Costs> {
  const { answered } = await upstream.report()
  const used = pid === undefined ? 0 : cpuSeconds(pid)
  const result = await load()
  const cpu = pid === undefined ? 0 : cpuSeconds(pid) - used
  const passedOn = (await upstream.report()).answered - answered
  const complaint =
    result.wrong > 0
      ? `${name}: ${result.wrong} answers were wrong, the first: ${result.firstWrong}`
      : passedOn < result.total
        ? `${name}: ${result.total - passedOn} of ${result.total} answers did not come from the upstream`
        : undefined
  if (complaint !== undefined && !rival) throw new Error(complaint)
  return {
    ...result,
    cpuMicroseconds: (cpu / Math.max(1, result.total)) * 1e6,
    residentMb: pid === undefined ? 0 : residentTreeMb(pid),
    complaint,
  }
}
