import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

/** The program of a server from npm. */
export const programOf = (name: 'everything' | 'filesystem' | 'memory'): string =>
  fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`))

/** server-everything over HTTP, on a port of its own, or on the one it had before. */
export async function everythingOverHttp(
  transport: 'streamableHttp' | 'sse',
  again?: number,
): Promise<{ readonly port: number } & AsyncDisposable> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const port = again ?? (await freePort())
    const child = Bun.spawn([process.execPath, programOf('everything'), transport], {
      env: { PATH: process.env.PATH ?? '', PORT: String(port) },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    })
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    let said = ''
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text
      if (!said.includes(`on port ${port}`)) continue
      return {
        port,
        async [Symbol.asyncDispose]() {
          process.removeListener('exit', end)
          end()
          await child.exited
        },
      }
    }
    // somebody else was quicker
  }
  throw new Error('server-everything found no free port')
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })
}
