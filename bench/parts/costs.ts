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
  /** How often the upstream was asked for each answer. */
  readonly upstreamShare: number
  /** What a rival did wrong; anybody else's mistake ends the run. */
  readonly complaint: string | undefined
}

/**
 * Runs a load over a way, and says what it cost and whether the answers are to be trusted. All of them have to come from
 * the upstream, unless `upstreamShare` says how many exactly.
 */
export async function withCosts<Result extends Answers>(
  { name, pid, rival }: Way,
  upstream: Pick<UpstreamProcess, 'report'>,
  load: () => Promise<Result>,
  upstreamShare?: number,
): Promise<Result & Costs> {
  const { answered } = await upstream.report()
  const used = pid === undefined ? 0 : cpuSeconds(pid)
  const result = await load()
  const cpu = pid === undefined ? 0 : cpuSeconds(pid) - used
  const passedOn = (await upstream.report()).answered - answered
  const complaint = complaintOf(name, result, passedOn, upstreamShare)
  if (complaint !== undefined && !rival) throw new Error(complaint)
  return {
    ...result,
    cpuMicroseconds: (cpu / Math.max(1, result.total)) * 1e6,
    residentMb: pid === undefined ? 0 : residentTreeMb(pid),
    upstreamShare: passedOn / Math.max(1, result.total),
    complaint,
  }
}

function complaintOf(name: string, { total, wrong, firstWrong }: Answers, passedOn: number, share: number | undefined): string | undefined {
  if (wrong > 0) return `${name}: ${wrong} answers were wrong, the first: ${firstWrong}`
  if (share !== undefined && passedOn !== Math.round(total * share))
    return `${name}: the upstream was asked ${passedOn} times for ${total} answers, not ${Math.round(total * share)} times`
  // more than all: those that the time did not allow to be answered
  if (share === undefined && passedOn < total) return `${name}: ${total - passedOn} of ${total} answers did not come from the upstream`
  return
}
