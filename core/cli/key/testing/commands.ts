import { expect } from 'bun:test'
import { runGatehouse } from '../../../testing/gatehouse-process.ts'
import { type FakeAdmin, fakeAdminKey } from './fake-admin.ts'

/** The command line as people and scripts type it, towards the fake that there is at that moment. */
export function commandsFor(fake: () => FakeAdmin) {
  const run = (...args: string[]) => runGatehouse({ args, env: { MODELGATE_SERVER: fake().url, MODELGATE_API_KEY: fakeAdminKey } })
  return {
    run,
    /** What it prints when all is well. */
    async said(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await run(...args)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout
    },
    /** One line of complaint, and nothing else. */
    async complaint(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await run(...args)
      expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 })
      expect(stderr).toStartWith('gatehouse: ')
      return stderr.slice('gatehouse: '.length, -1)
    },
    /** What the fake was asked. */
    asked: () => fake().asked.map(({ method, path, body }) => ({ method, path, ...(body !== undefined && { body }) })),
  }
}
