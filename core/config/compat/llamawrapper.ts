import { parseListenHost } from '../address.ts'
import type { Tree } from '../tree.ts'
import type { LegacyFormat } from './legacy-format.ts'
import { auth } from './llamawrapper-auth.ts'
import { asText, mapItems, notTakenOver, type Spot, type Take, to, warnUnknown } from './rules.ts'

const title = 'LlamaWrapper'

/** `:8000` sets the port alone: on which interfaces to listen is too much to conclude from a missing host. */
const listenAddress: Take = (value, spot) => {
  const [, host = '', port = ''] = /^\s*(.*?):(\d+)\s*$/.exec(String(value)) ?? []
  const bare = /:/.test(host.replace(/^\[.*\]$/, '')) ? undefined : parseListenHost(host)
  if (Number(port) < 1 || Number(port) > 65_535 || (host !== '' && bare === undefined)) {
    return spot.complain(
      `must be ":PORT" or "ADDRESS:PORT" with an IP address or localhost, for example ":8000" or "127.0.0.1:8000", not ${JSON.stringify(value)}`,
    )
  }
  spot.put(['port'], Number(port))
  if (bare !== undefined) spot.put(['host'], bare)
}

const modelKeys = ['name', 'aliases', 'model_path', 'gpu_layers', 'context_size', 'threads', 'batch_size', 'extra_args']
const texts = ['name', 'model_path']
/** Zero meant the default for these. */
const counts = ['context_size', 'threads', 'batch_size']

const models: Take = (value, spot) => spot.put(['models'], mapItems(value, spot, readModel))

function readModel(model: Tree, spot: Spot) {
  for (const key of Object.keys(model)) if (!modelKeys.includes(key)) warnUnknown(spot.at([key]), key, modelKeys, title)
  const known = Object.entries(model).filter(([key, value]) => modelKeys.includes(key) && !(counts.includes(key) && value === 0))
  const read = Object.fromEntries(known.map(([key, value]) => [key, texts.includes(key) ? asText(value) : value]))
  if (read.model_path === undefined || read.model_path === null || read.model_path === '') {
    spot.at(['model_path']).complain('is missing; write the path of the .gguf file')
    return { ...read, model_path: 'missing' }
  }
  return read
}

/** LlamaWrapper's `config.yaml`: llama-server processes behind one port. */
export const llamawrapper: LegacyFormat = {
  name: 'llamawrapper',
  title,
  anyCase: false,
  defaults: [{ path: ['port'], value: 8000 }],
  openWith: 'listen_addr: "0.0.0.0:PORT"',
  rules: {
    listen_addr: listenAddress,
    llama_server_path: to(['llama_server_path'], asText),
    port_range_start: to(['port_range_start']),
    max_loaded_models: to(['max_loaded_models']),
    health_check_sec: to(['health_check_sec']),
    models,
    auth,
    rate_limit: notTakenOver('gatehouse has rate_limit_rps'),
  },
}
