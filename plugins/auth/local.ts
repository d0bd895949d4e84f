import type { Context } from 'gatehouse'

/** What proxies add to the requests they pass on. */
const proxied = ['x-forwarded-for', 'forwarded', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via']

/** True for requests that a program of this machine has sent itself. Those behind a proxy here may come from anywhere. */
export const isLocal = ({ ip, request: { headers } }: Pick<Context, 'ip' | 'request'>): boolean =>
  /^(127(\.\d{1,3}){3}|::1)$/.test(ip) && !proxied.some(name => headers.has(name))
