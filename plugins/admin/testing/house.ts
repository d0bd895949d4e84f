import type { Records } from 'gatehouse'
import { type House, type HouseOptions, openHouse } from '../../../core/testing/open-house.ts'

/** An obviously fake one. */
export const adminKey = 'sk-admin-0000'

/** An answer of the admin API. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what tests look at
  readonly json: any
}

/** A gateway, and whoever has its admin key. */
export interface AdminHouse extends House {
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Asks a model for an answer, with no key at all. */
  chat(model: string): Promise<Answer>
  readonly records: Records
}

/** Opens one. The backend `up` is an echo, unless others are given. */
export async function openAdminHouse(options: HouseOptions = {}): Promise<AdminHouse> {
  const yaml = { backends: { up: { type: 'echo' } }, auth: 'off', admin: { api_key: adminKey }, router: { retries: 0 }, ...options.yaml }
  const house = await openHouse({ ...options, yaml })
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(house.url + path, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: text === '' ? undefined : JSON.parse(text) }
  }
  return Object.assign(house, {
    ask: (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      send(path, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    chat: (model: string) =>
      send('/v1/chat/completions', { method: 'POST', body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }) }),
    records: house.serving.gateway.records,
  })
}

/** Everything that an admin can change, and the audit of it. */
export async function everything({ keys, models, audit, settings }: Records): Promise<unknown> {
  return {
    keys: await Array.fromAsync(keys.all()),
    models: await Array.fromAsync(models.all()),
    audit: await audit.list({ limit: 1000 }),
    settings: await settings.get(),
  }
}
