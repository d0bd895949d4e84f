import { type Gateway, GatewayError, type MaybePromise, maskSettings, type Route, type RouteContext, secretsOf } from 'gatehouse'
import { readDisk } from '../hardware/disk.ts'
import type { Hardware } from '../hardware/hardware.ts'
import type { Probe } from '../hardware/probe.ts'
import { reportHardware } from '../hardware/report.ts'
import { isOperator } from '../users.ts'
import { ok, refuse } from './envelope.ts'
import { createHealth } from './health.ts'
import { type Capabilities, describeRuntime } from './info.ts'
import { llamagateConfig } from './llamagate-config.ts'
import { describeModels } from './models.ts'

/** What the routes tell of. */
export interface SystemOptions {
  readonly gateway: Gateway
  readonly probe: Probe
  readonly hardware: Hardware
  readonly capabilities: () => Capabilities
  /** Called with what `/v1/system/models` answers. */
  readonly onModels: (models: ReturnType<typeof describeModels>) => void
}

/** `GET /v1/system/…` but for the memory. */
export function systemRoutes({ gateway, probe, hardware, capabilities, onModels }: SystemOptions): Route[] {
  const { config, models } = gateway
  const { hardware_enabled: hardwareEnabled, hardware_detail_level: level } = config.introspection
  const health = createHealth(gateway)
  let settings: unknown
  const describeSettings = () => {
    settings ??= maskSettings({ ...llamagateConfig(config), gatehouse: config }, secretsOf(config))
    return settings
  }

  return [
    get('info', () => ok(describeRuntime(capabilities()))),

    get('health', async () => ok(await health())),

    get('models', async ctx => {
      try {
        const described = describeModels(gateway, await models.list(ctx.principal, ctx.signal), ctx.principal)
        if (isOperator(ctx.principal)) onModels(described)
        return ok(described)
      } catch (error) {
        ctx.signal.throwIfAborted()
        if (!(error instanceof GatewayError)) ctx.log.error({ err: error }, 'the models could not be listed')
        return refuse(ctx.id, 503, 'backend_error', 'The model backend could not list its models.')
      }
    }),

    get(
      'hardware',
      forOperators(async ctx => {
        if (!hardwareEnabled) return ok({ message: 'hardware introspection disabled' })
        try {
          const [machine, memory, disk] = await Promise.all([hardware.machine(), hardware.memory(), readDisk(config.data_dir)])
          return ok(reportHardware(level, { ...probe, machine, memory, disk }))
        } catch {
          return refuse(ctx.id, 500, 'internal_error', 'Failed to detect hardware')
        }
      }),
    ),

    get(
      'config',
      forOperators(() => ok(describeSettings())),
    ),
  ]
}

const get = (name: string, handle: Route['handle']): Route => ({
  method: 'GET',
  path: `/v1/system/${name}`,
  access: 'key',
  limited: true,
  body: 'none',
  handle,
})

/** A managed key is a user's, and the machine is none of a user's business. */
const forOperators =
  (handle: (ctx: RouteContext) => MaybePromise<Response>): Route['handle'] =>
  ctx =>
    isOperator(ctx.principal) ? handle(ctx) : refuse(ctx.id, 403, 'permission_error', 'Only the API key or the admin key may see this.')
