/** LlamaGate's envelope of `/v1/system/*`. */
export const ok = (data: unknown): Response => Response.json({ ok: true, data })

/** The same for an error, with the fields of every other error of gatehouse beside its own. */
export const refuse = (requestId: string, status: number, code: string, message: string, param: string | null = null): Response =>
  Response.json({ ok: false, error: { code, message, type: typeOf(status), param, request_id: requestId } }, { status })

const types: Readonly<Record<number, string>> = {
  403: 'permission_error',
  404: 'not_found',
  500: 'internal_error',
  503: 'service_unavailable',
}

const typeOf = (status: number) => types[status] ?? 'invalid_request_error'
