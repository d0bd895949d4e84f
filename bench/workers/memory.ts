import { startGatehouse } from '../house/gatehouse.ts'
import { residentMb } from '../house/proc.ts'
import { startUpstream } from '../house/upstream.ts'
import { show, type Table } from '../report/table.ts'
import { prose } from './prose.ts'

/** What gatehouse may hold. */
export const mostMb = { without: 100, with: 220 }

export interface MemoryOutcome {
  readonly table: Table
  readonly without: number
  readonly with: number
}

/** The resident memory of the binary before, while and after it counts tokens. */
export async function tokenMemory(binary: string, prompts: number): Promise<MemoryOutcome> {
  await using upstream = await startUpstream()
  await using gatehouse = await startGatehouse(binary, upstream.url)
  let most = 0
  const count = async (model: string, input: string) => {
    const response = await fetch(`${gatehouse.url}/v1/tokenize`, { method: 'POST', body: JSON.stringify({ model, input }) })
    if (!response.ok) throw new Error(`/v1/tokenize answered ${response.status}: ${await response.text()}`)
    most = Math.max(most, residentMb(gatehouse.pid))
  }
  const now = () => residentMb(gatehouse.pid)
  const without = now()
  await count('gpt-4o', 'hello')
  const first = now()
  for (let nth = 0; nth < prompts; nth++) await count('gpt-4o', prose(1024 * 1024, nth))
  const large = now()
  await count('gpt-4', 'hello')
  for (let nth = 0; nth < prompts; nth++) await count(nth % 2 ? 'gpt-4' : 'gpt-4o', prose(1024 * 1024, nth))
  const both = now()
  await Bun.sleep(idleMs)
  return {
    table: {
      columns: ['resident, MB', 'idle', 'o200k', `${prompts} × 1 MB`, 'and cl100k', 'most', `${idleMs / 1000} s later`],
      rows: [['gatehouse', ...[without, first, large, both, most, now()].map(mb => show(mb, 1))]],
    },
    without,
    with: most,
  }
}

/** Threads end after a minute without work. */
const idleMs = 65_000
