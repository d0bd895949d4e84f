import { connect, type Socket } from 'node:net'

/** A client that asks for a stream over a bare socket and reads only when told to. */
export interface RawClient {
  readonly socket: Socket
  /** Bytes read so far. */
  readonly read: () => number
}

/** Sends a chat request for a stream and then stops reading. */
export function openStream(url: string, body: object): Promise<RawClient> {
  const { hostname, port } = new URL(url)
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    let read = 0
    const socket = connect(Number(port), hostname, () => {
      socket.pause()
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      )
      resolve({ socket, read: () => read })
    })
    socket.on('data', bytes => {
      read += bytes.length
    })
    socket.on('error', reject)
  })
}

/** Resident memory of a process, in bytes (Linux). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text()
  return Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1]) * 1024
}

/** Resolves with the value once it has not changed for `quietMs`. */
export async function plateau(value: () => number, quietMs: number, patienceMs = 30_000): Promise<number> {
  const deadline = performance.now() + patienceMs
  let last = value()
  let since = performance.now()
  while (performance.now() - since < quietMs) {
    await Bun.sleep(25)
    if (value() === last) continue
    last = value()
    since = performance.now()
    if (since > deadline) throw new Error(`still growing after ${patienceMs} ms: ${last}`)
  }
  return last
}
