/** The head of an event stream whose length nobody knows. */
export const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n',
)

/** Bytes as one HTTP chunk. */
export const chunk = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, lineEnd])

/** The end of a chunked body. */
export const lastChunk = Buffer.from('0\r\n\r\n')

const lineEnd = Buffer.from('\r\n')
