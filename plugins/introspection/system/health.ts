import type { Backend, Gateway } from 'gatehouse'

/** How a backend answered its probe. */
interface Report {
  readonly name: string
  readonly type: string
  readonly status: 'ok' | 'unreachable'
  readonly message?: string
}

/** `/v1/system/health`: LlamaGate's fields tell of the first backend, `backends` of each. */
export interface Health {
  readonly backend: string
  readonly status: Report['status'] | 'unknown'
  readonly message?: string
  readonly checked_at: string
  readonly backends: readonly Report[]
}

/** Asks all backends at the same time; callers that come meanwhile share the answer. */
export function createHealth({ backends, config }: Pick<Gateway, 'backends' | 'config'>): () => Promise<Health> {
  let asking: Promise<Health> | undefined
  const ask = async (): Promise<Health> => {
    const reports = await Promise.all([...backends.values()].map(backend => probe(backend, config.health_check_timeout)))
    const [first] = reports
    return {
      backend: first?.type ?? 'none',
      status: first?.status ?? 'unknown',
      ...(first ? first.message !== undefined && { message: first.message } : { message: 'there is no backend' }),
      checked_at: new Date().toISOString(),
      backends: reports,
    }
  }
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}

async function probe(backend: Backend, timeoutMs: number): Promise<Report> {
  const { name, type } = backend
  try {
    await backend.probe(AbortSignal.timeout(timeoutMs))
    return { name, type, status: 'ok' }
  } catch (error) {
    const said = error instanceof Error && error.name === 'GatewayError' ? error.message : ''
    return { name, type, status: 'unreachable', message: said || 'it did not answer in time' }
  }
}
