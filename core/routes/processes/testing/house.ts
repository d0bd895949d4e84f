import { join } from 'node:path'
import type { RunningRow } from '../../../processes/supervisor.ts'
import { type House, openHouse } from '../../../testing/open-house.ts'

/** Obviously fake ones. */
export const adminKey = 'sk-admin-0000'
export const staticKey = 'sk-static-0000'

/** `command` of a model: a server that does what its paths say. Its key stands in its environment, as `${API_KEY}` has it. */
export const rawCommand = `'${process.execPath}' '${join(import.meta.dir, 'raw-server.ts')}' \${PORT}`

/** A house that runs models. */
export interface ModelHouse extends House {
  /** Asks with the admin key, unless the headers name another one. */
  ask(path: string, init?: RequestInit): Promise<Response>
  row(model: string): RunningRow | undefined
}

/** Opens one that asks everybody for a key. */
export async function openModels(models: readonly object[], more: Readonly<Record<string, unknown>> = {}): Promise<ModelHouse> {
  const house = await openHouse({
    yaml: {
      ...{ admin: { api_key: adminKey }, api_key: staticKey, port_range_start: 20_000 + Math.floor(Math.random() * 12_000), models },
      ...more,
    },
  })
  return Object.assign(house, {
    ask: (path: string, { headers, ...init }: RequestInit = {}) =>
      fetch(house.url + path, { redirect: 'manual', ...init, headers: { 'x-api-key': adminKey, ...(headers as Record<string, string>) } }),
    row: (model: string) => house.serving.gateway.processes.list().find(row => row.model === model),
  })
}

/** A POST of JSON. */
export const post = (body: unknown = {}): RequestInit => ({ method: 'POST', body: JSON.stringify(body) })

/** What an answer holds. */
// biome-ignore lint/suspicious/noExplicitAny: what tests look at
export const json = async (answer: Response | Promise<Response>): Promise<any> => (await answer).json()
