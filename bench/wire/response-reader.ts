/** What is told of the responses on one connection. */
export interface ResponseListener {
  /** `text` is the whole head, without its empty line. */
  head(status: number, text: string): void
  /** A piece of the body, without its framing. */
  body(bytes: Buffer): void
  end(): void
}

type State = 'head' | 'length' | 'size' | 'chunk' | 'gap' | 'trailer'

/** Reads HTTP/1.1 responses off a byte stream: `content-length` and `chunked`, which is all our servers send. */
export function createResponseReader({ head, body, end }: ResponseListener): (bytes: Buffer) => void {
  let state: State = 'head'
  let left = 0
  let pending: Buffer | undefined

  const begin = (text: string) => {
    head(Number(text.slice(9, 12)), text)
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)
    if (!length && !/\r\ntransfer-encoding: *chunked/i.test(text)) throw new Error(`a response without framing:\n${text}`)
    left = Number(length?.[1] ?? 0)
    state = length ? 'length' : 'size'
    if (length && left === 0) finish()
  }
  const finish = () => {
    state = 'head'
    end()
  }
  const line = (text: string) => {
    if (state === 'head') return begin(text)
    if (state === 'size') {
      left = Number.parseInt(text, 16)
      state = left === 0 ? 'trailer' : 'chunk'
    } else if (state === 'gap') state = 'size'
    else if (text === '') finish()
  }

  return bytes => {
    const data = pending ? Buffer.concat([pending, bytes]) : bytes
    pending = undefined
    let at = 0
    while (at < data.length) {
      if (state === 'length' || state === 'chunk') {
        const to = Math.min(data.length, at + left)
        left -= to - at
        body(data.subarray(at, to))
        at = to
        if (left > 0) return
        if (state === 'length') finish()
        else state = 'gap'
        continue
      }
      const mark = state === 'head' ? '\r\n\r\n' : '\r\n'
      const to = data.indexOf(mark, at)
      if (to === -1) {
        pending = data.subarray(at)
        return
      }
      line(data.toString('latin1', at, to))
      at = to + mark.length
    }
  }
}
