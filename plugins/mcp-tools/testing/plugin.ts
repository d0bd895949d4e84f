import { definePlugin, v } from 'gatehouse'
import { createToolLayer } from '../layer.ts'
import { toolOptions } from '../settings.ts'
import type { FakeTools } from './fake-tools.ts'

/** The houses of tools of the tests that run. */
export const houses = new Map<string, FakeTools>()

/** How often the next turn was about to be paid, by house. */
export const extensions = new Map<string, number[]>()

/** The layer as a gateway would have it, over a house of a test. */
export default definePlugin({
  name: 'mcp-tools',
  options: v.strictObject({ ...toolOptions.entries, house: v.string() }),
  setup({ house: name, ...options }, gateway) {
    const house = houses.get(name)
    if (!house) throw new Error(`there is no house ${name}`)
    const sizes: number[] = []
    extensions.set(name, sizes)
    const extend = ({ payload }: { readonly payload: { readonly messages?: readonly unknown[] } }) =>
      void sizes.push(payload.messages?.length ?? 0)
    return createToolLayer({ house, settings: gateway.config.mcp, options, log: gateway.log, extend })
  },
})
