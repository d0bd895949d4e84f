import { plainNames } from '../plain-names.ts'
import type { Tree } from '../tree.ts'
import type { LegacyFormat } from './legacy-format.ts'
import { asText, mapItems, type Rules, type Spot, type Take, to, warnUnknown } from './rules.ts'

const title = 'LlamaGate'

/** Its top-level keys are the names of its variables in lower case. */
const plain: Rules = Object.fromEntries(
  Object.entries(plainNames).map(([name, path]) => [name.toLowerCase(), to(path, isText(name) ? asText : undefined)]),
)

function isText(name: string): boolean {
  return /_(KEY|TOKEN|FILE|DIR)$/.test(name)
}

const mcpNames = Object.values(plainNames).flatMap(([section, key]) => (section === 'mcp' && typeof key === 'string' ? [key] : []))

const serverKeys = ['name', 'enabled', 'transport', 'command', 'args', 'env', 'url', 'headers', 'timeout']

const servers: Take = (value, spot) => spot.put(['mcp', 'servers'], mapItems(value, spot, readServer))

function readServer(server: Tree, spot: Spot) {
  for (const key of Object.keys(server)) if (!serverKeys.includes(key)) warnUnknown(spot.at([key]), key, serverKeys, title)
  const known = Object.entries(server).filter(([key, value]) => serverKeys.includes(key) && value !== null && value !== '')
  if (server.enabled === undefined || server.enabled === null) {
    spot.warn(`is off, because ${title} used a server only with enabled: true`)
  }
  return { enabled: false, ...Object.fromEntries(known) }
}

const mcp: Rules = { ...Object.fromEntries(mcpNames.map(key => [key, to(['mcp', key])])), servers }

/** `llamagate.yaml`: the names of its variables, and the sections `mcp` and `plugins`. */
export const llamagate: LegacyFormat = {
  name: 'llamagate',
  title,
  anyCase: true,
  defaults: [{ path: ['memory', 'dir'], value: '~/.llamagate/data/memory' }],
  rules: {
    ...plain,
    mcp,
    plugins: { enabled: to(['plugins', 'enabled']), configs: to(['plugins', 'configs']) },
  },
}
