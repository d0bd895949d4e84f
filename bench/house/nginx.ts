import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { spawnChild, temporaryFolder, until } from './spawn.ts'

/** An nginx with one server per way of talking to the upstream. */
export interface Nginx extends AsyncDisposable {
  readonly pid: number
  /** A new upstream connection per request: what `proxy_pass` does when nothing else is said. */
  readonly plain: string
  /** HTTP/1.1 and a pool of upstream connections. */
  readonly kept: string
}

/** Where nginx is; installs Debian's package when it is missing and we may. Undefined, with a line why, when there is none. */
export function findNginx(): string | undefined {
  const found = Bun.which('nginx', { PATH: `${process.env.PATH}:/usr/sbin` })
  if (found) return found
  if (process.getuid?.() !== 0 || !Bun.which('apt-get')) {
    console.error('no nginx: the comparison with it is left out. Install the Debian package "nginx" to have it.')
    return
  }
  console.error('no nginx; installing the Debian package')
  // run level 1: the package would otherwise start its own nginx on port 80
  const apt = (...args: string[]) =>
    Bun.spawnSync(['apt-get', ...args], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } })
  apt('update', '-qq')
  const { exitCode, stderr } = apt('install', '-y', '-qq', '--no-install-recommends', 'nginx')
  if (exitCode === 0) return '/usr/sbin/nginx'
  console.error(`nginx could not be installed, the comparison with it is left out: ${stderr.toString().trim().split('\n').at(-1)}`)
}

/** What `nginx -v` says. */
export const nginxVersion = (nginx: string): string => Bun.spawnSync([nginx, '-v']).stderr.toString().trim().replace(/^.*\//, '')

/** Starts nginx in the foreground with a configuration of its own. */
export async function startNginx(nginx: string, upstreamUrl: string, workers: number | 'auto'): Promise<Nginx> {
  const folder = temporaryFolder()
  const [plainPort, keptPort] = [freePort(), freePort()]
  const file = join(folder.path, 'nginx.conf')
  writeFileSync(file, config({ folder: folder.path, upstream: new URL(upstreamUrl).host, workers, plainPort, keptPort }))
  const child = spawnChild([nginx, '-c', file, '-e', join(folder.path, 'error.log')])
  const plain = `http://127.0.0.1:${plainPort}`
  const leave = async () => {
    process.kill(child.pid, 'SIGTERM') // a killed master would leave its workers behind
    await child.exited
    folder[Symbol.dispose]()
  }
  await until(
    () =>
      fetch(`${plain}/v1/models`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    'an answer from nginx',
  ).catch(async error => {
    await leave()
    throw error
  })
  return {
    pid: child.pid,
    plain,
    kept: `http://127.0.0.1:${keptPort}`,
    [Symbol.asyncDispose]: leave,
  }
}

interface ConfigOptions {
  readonly folder: string
  readonly upstream: string
  readonly workers: number | 'auto'
  readonly plainPort: number
  readonly keptPort: number
}

/** No access log: nginx is not slowed by anything it need not do. */
function config({ folder, upstream, workers, plainPort, keptPort }: ConfigOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `  ${name}_temp_path ${folder}/${name};`)
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
worker_processes ${workers};
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
${temporary.join('\n')}
  upstream plain { server ${upstream}; }
  upstream kept { server ${upstream}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${plainPort};
    location / { proxy_pass http://plain; proxy_buffering off; }
  }
  server {
    listen 127.0.0.1:${keptPort};
    location / { proxy_pass http://kept; proxy_buffering off; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`
}
