/** They are about one connection, and say nothing behind it. */
const ofConnection = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect']

/** Who the caller is and how it came here, which is not for the server to know. Whether a page may read the answer is our concern. */
const ofCaller = ['authorization', 'proxy-authorization', 'x-api-key', 'cookie', 'forwarded', 'via', 'x-real-ip', 'origin']

const notForServer = new Set([...ofConnection, ...ofCaller, 'host', 'content-length'])
const notForCaller = new Set([...ofConnection, 'content-length', 'set-cookie', 'proxy-authenticate', 'www-authenticate'])

/** The caller's headers as the model's server gets them, with the key that the server asks for. */
export function headersForServer(headers: Headers, apiKey: string | undefined): Record<string, string> {
  const kept = [...headers].filter(([name]) => !notForServer.has(name) && !name.startsWith('x-forwarded-'))
  const listed = listedIn(headers)
  return {
    ...Object.fromEntries(kept.filter(([name]) => !listed.has(name))),
    connection: 'close', // llama-server closes its connections behind streams all the same
    ...(apiKey && { authorization: `Bearer ${apiKey}` }),
  }
}

/** The server's headers as the caller gets them. Cookies and permissions for pages would be taken for ours. */
export function headersForCaller(headers: Headers): Headers {
  const listed = listedIn(headers)
  return new Headers([...headers].filter(([name]) => !notForCaller.has(name) && !name.startsWith('access-control-') && !listed.has(name)))
}

/** `Connection: x-foo` makes a header one of the connection. */
const listedIn = (headers: Headers): ReadonlySet<string> =>
  new Set((headers.get('connection') ?? '').split(',').map(name => name.trim().toLowerCase()))
