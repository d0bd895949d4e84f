import { GatewayError, type Route } from 'gatehouse'
import type { Machine } from '../hardware/detect.ts'
import { namesOf } from '../hardware/gpu.ts'
import type { Hardware } from '../hardware/hardware.ts'
import { ramGb, vramOf } from '../hardware/vram.ts'
import type { Choice } from './groups.ts'
import { recommend } from './recommend.ts'

/** `GET /v1/hardware/recommendations`: open to everybody, so it answers from what was found out before. */
export const recommendationsRoute = (hardware: Pick<Hardware, 'machine'>): Route => ({
  method: 'GET',
  path: '/v1/hardware/recommendations',
  access: 'open',
  limited: false,
  body: 'none',
  async handle() {
    const machine = await hardware.machine().catch((cause: unknown) => {
      throw new GatewayError(500, 'internal_error', 'internal_error', 'Failed to detect hardware', { cause })
    })
    return Response.json({ success: true, data: describe(machine) })
  },
})

/** LlamaGate's shape. */
export function describe(machine: Machine) {
  const { gpus, method } = machine.gpu
  const { gb: vram, unified } = vramOf(machine)
  const ram = ramGb(machine.memory)
  const { group, choices } = recommend({ ram, vram, unified })
  return {
    hardware: {
      cpu_cores: machine.cores,
      cpu_model: machine.cpuModel,
      total_ram_gb: ram,
      gpu_detected: gpus.length > 0,
      gpu_name: namesOf(gpus),
      gpu_vram_gb: vram,
      detection_method: method,
    },
    hardware_group: group,
    recommendations: choices.map(present),
  }
}

const present = ({ model, minRam, minVram }: Choice, index: number) => ({
  name: model.name,
  ollama_name: model.tag,
  priority: index + 1,
  description: model.description,
  intelligence_score: model.score,
  parameters_b: model.parameters,
  min_ram_gb: minRam,
  min_vram_gb: minVram,
  quantized: true,
  ollama_command: `ollama pull ${model.tag}`,
  use_cases: model.useCases,
})
