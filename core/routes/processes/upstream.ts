import type { RouteContext } from '../../context.ts'
import { GatewayError, modelNotFound } from '../../errors.ts'
import type { Route } from '../../gateway.ts'
import { sendForStream } from '../../http/stream-upstream.ts'
import { neverReached } from '../../http/upstream.ts'
import { assertMayUse } from '../../judge-model.ts'
import { processEnded } from '../../processes/server-process-errors.ts'
import { isLost } from '../../processes/server-process-life.ts'
import type { Lease, Supervisor } from '../../processes/supervisor.ts'
import { findModelPath } from './model-path.ts'
import { headersForCaller, headersForServer } from './upstream-headers.ts'

const prefix = '/upstream/'

/**
 * `/upstream/{model}/…`: the model's own server, started if need be. Any method, path, query and body; the answer byte for byte.
 * It goes round the queue in front of the model, and nobody's quota pays for it.
 */
export const upstreamRoute = (processes: Pick<Supervisor, 'has' | 'use'>): Route => ({
  method: 'ALL',
  path: `${prefix}*`,
  access: 'named',
  limited: true,
  body: 'raw',
  verbatim: true,
  async handle(ctx) {
    const found = findModelPath(ctx.path.slice(prefix.length), processes.has)
    if (!found) throw modelNotFound(ctx.params['*'] ?? '')
    assertMayUse(ctx.principal, found.model, undefined)
    const visit = async () => {
      ctx.phase = 'loading'
      const lease = await processes.use(found.model, ctx.signal)
      ctx.onSettled(lease.release)
      ctx.phase = 'waiting'
      try {
        return await send(ctx, lease, `${lease.baseUrl}${found.rest || '/'}${ctx.url.search}`)
      } catch (error) {
        lease.release()
        // it had ended, and nobody knew yet: nothing was done
        if (error instanceof GatewayError && error.extra.neverReached && (await isLost(lease))) return undefined
        throw error
      }
    }
    const answer = (await visit()) ?? (await visit())
    if (answer) return answer
    throw processEnded(found.model)
  },
})

/** Both the caller's leaving and the server's end break it off. */
async function send(ctx: RouteContext, { gone, apiKey }: Lease, url: string): Promise<Response> {
  const { method, headers } = ctx.request
  const abort = new AbortController()
  const leave = () => abort.abort(ctx.signal.reason)
  const lose = () => abort.abort(gone.reason)
  ctx.signal.addEventListener('abort', leave, { once: true })
  gone.addEventListener('abort', lose, { once: true })
  ctx.onSettled(() => gone.removeEventListener('abort', lose))
  if (ctx.signal.aborted) leave()
  if (gone.aborted) lose()

  const init = { method, headers: headersForServer(headers, apiKey), body: ctx.wire(), signal: abort.signal, raw: true }
  const response = await sendForStream(url, init).catch((cause: unknown) => {
    if (abort.signal.aborted) throw abort.signal.reason
    throw new GatewayError(502, 'server_error', 'bad_gateway', 'Failed to connect to the model backend', {
      cause,
      neverReached: neverReached(cause),
    })
  })
  const { status } = response
  if (status >= 300 && status < 400 && status !== 304) {
    await response.body?.cancel()
    throw new GatewayError(
      502,
      'server_error',
      'bad_gateway',
      'The model backend answered with a redirect, which gatehouse does not follow.',
    )
  }
  const forCaller = { status, headers: headersForCaller(response.headers) }
  if (method !== 'HEAD') return new Response(response.body, forCaller)
  await response.body?.cancel()
  return new Response(null, forCaller)
}
