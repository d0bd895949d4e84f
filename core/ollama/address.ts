import { isIP } from 'node:net'

/**
 * Where an Ollama of ours has to listen to be found at `baseUrl`, in the words of its OLLAMA_HOST. Undefined when
 * that is not on this machine, or when something else stands in front of it: TLS, a path, or no port, which is 80.
 */
export function ollamaAddress(baseUrl: string): string | undefined {
  const { protocol, hostname, port, pathname } = new URL(baseUrl)
  if (protocol !== 'http:' || pathname !== '/' || port === '') return
  if (hostname === 'localhost') return `127.0.0.1:${port}` // it would listen on one of the two anyway
  const loopback = hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  return loopback ? `${hostname}:${port}` : undefined
}
