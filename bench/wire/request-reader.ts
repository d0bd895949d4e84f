/** One request as the fake upstream sees it. */
export interface ReadRequest {
  readonly method: string
  readonly path: string
  /** The connection ends after the answer: what a plain proxy asks for. */
  readonly close: boolean
  readonly body: Buffer
}

/** Reads HTTP/1.x requests with `content-length` off a byte stream. */
export function createRequestReader(onRequest: (request: ReadRequest) => void): (bytes: Buffer) => void {
  let pending: Buffer | undefined

  return bytes => {
    let data = pending ? Buffer.concat([pending, bytes]) : bytes
    pending = undefined
    while (data.length > 0) {
      const end = data.indexOf('\r\n\r\n')
      const head = end === -1 ? '' : data.toString('latin1', 0, end)
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      const next = end + 4 + length
      if (end === -1 || data.length < next) {
        pending = data
        return
      }
      const [method = '', path = ''] = head.slice(0, head.indexOf('\r\n')).split(' ')
      onRequest({ method, path, close: /\r\nconnection: *close/i.test(head), body: data.subarray(end + 4, next) })
      data = data.subarray(next)
    }
  }
}
