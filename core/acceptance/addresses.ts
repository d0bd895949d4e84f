import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The addresses of this machine that others reach it by; none on a machine that is alone. */
export const ownAddresses = (wanted: 'IPv4' | 'IPv6' = 'IPv4'): string[] =>
  Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ internal, family, address }) => !internal && family === wanted && !address.startsWith('fe80:')) // those need a zone
    .map(({ address }) => address)

/** Whether a new connection is taken: `open`, or the code of the error. */
export function knock(host: string, port: number): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resolve('open')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

/** Writes bytes to a port and resolves with all that comes back until the connection ends. */
export function say(host: string, port: number, bytes: string): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(port, host, () => socket.write(bytes))
    socket.on('data', data => {
      text += data.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}
