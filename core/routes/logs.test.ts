import { expect, test } from 'bun:test'
import type { RouteContext } from '../context.ts'
import { GatewayError } from '../errors.ts'
import { logRoutes } from './logs.ts'

const post = async (reopen: () => Promise<boolean>) => {
  const [route] = logRoutes({ reopen })
  return route?.handle({} as RouteContext)
}

test.each([true, false])('says whether there was a file to reopen: %p', async reopened => {
  const response = await post(async () => reopened)
  expect(response?.status).toBe(200)
  expect(await response?.json()).toEqual({ reopened })
})

test('a file that cannot be opened is a 500 that says why, without its path', async () => {
  const failure = await post(async () => {
    throw Object.assign(new Error("EACCES: permission denied, open '/var/log/x.log'"), { code: 'EACCES' })
  }).catch(error => error)
  expect(failure).toBeInstanceOf(GatewayError)
  expect(failure).toMatchObject({ status: 500, code: 'log_not_reopened', message: 'The log file cannot be opened (EACCES).' })
})

test('only the admin key may ask for it', () => {
  expect(logRoutes({ reopen: async () => true })).toMatchObject([{ method: 'POST', path: '/admin/logs/reopen', access: 'admin' }])
})
