import { join } from 'node:path'
import { definePlugin, type Gateway, v } from 'gatehouse'
import { openCard } from './card/open.ts'
import type { Machine } from './hardware/detect.ts'
import { createHardware, type Hardware } from './hardware/hardware.ts'
import { thisMachine } from './hardware/probe.ts'
import { rememberHardware } from './hardware/report.ts'
import { openMemory } from './memory/memory.ts'
import { createFileQueue } from './memory/queue.ts'
import type { SystemFacts } from './memory/system-file.ts'
import { recommendationsRoute } from './recommendations/route.ts'
import { type Capabilities, listEndpoints } from './system/info.ts'
import { memoryRoutes } from './system/memory-routes.ts'
import { systemRoutes } from './system/routes.ts'

/** After the start, when the routes of later plugins are there too. */
const firstNoteMs = 100

/** What the gateway can tell of itself: `/v1/system/*`, model recommendations, the system card and the memory it quotes. */
export default definePlugin({
  name: 'introspection',
  options: v.strictObject({}),
  async setup(_, gateway) {
    const { config, log } = gateway
    const { enabled } = config.introspection
    const probe = thisMachine()
    // a reload changes neither the machine nor who writes into the folder
    const kept = gateway.shared('introspection', () => {
      const hardware = createHardware(probe, err => log.warn({ err }, 'the hardware could not be detected'))
      return { hardware, queue: createFileQueue(), close: hardware.close }
    })
    const memory = enabled && config.memory.enabled ? await openMemory({ ...memoryOptions(config), queue: kept.queue, log }) : undefined
    const capabilities = (): Capabilities => ({
      endpoints: listEndpoints(gateway.routes),
      mcp_enabled: config.mcp.enabled,
      memory_enabled: memory !== undefined,
      introspection_enabled: enabled,
    })
    const note = (facts: SystemFacts = {}) => {
      memory?.system
        .update({ capabilities: capabilities(), ...facts })
        .catch(err => log.warn({ err }, "the memory's system.json could not be written"))
    }
    let noted: Machine | undefined
    const hardware: Hardware = {
      ...kept.hardware,
      async machine() {
        const machine = await kept.hardware.machine()
        if (machine !== noted) note({ last_hardware_snapshot: rememberHardware(probe.platform, probe.arch, machine) })
        noted = machine
        return machine
      },
    }
    const onModels = (models: unknown) => note({ last_models_snapshot: models })
    const own = [
      recommendationsRoute(hardware),
      ...(enabled ? [...systemRoutes({ gateway, probe, hardware, capabilities, onModels }), ...memoryRoutes(memory)] : []),
    ]
    for (const route of own) gateway.addRoute(route)
    const firstNote = setTimeout(note, firstNoteMs)
    firstNote.unref()

    return {
      ...openCard({ gateway, probe, hardware, memory }),
      async close() {
        clearTimeout(firstNote)
        await memory?.close()
      },
    }
  },
})

const memoryOptions = ({ data_dir: dataDir, memory }: Gateway['config']) => ({
  folder: memory.dir ?? join(dataDir, 'memory'),
  limits: { pinnedMax: memory.pinned_max, recentMax: memory.recent_max, maxEntryChars: memory.max_entry_chars },
  now: Date.now,
})
