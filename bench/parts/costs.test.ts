import { expect, test } from 'bun:test'
import { startUpstream } from '../house/upstream.ts'
import { closedLoop } from '../load/closed-loop.ts'
import { withCosts } from './costs.ts'

test('how often the upstream may be asked is the judge of what the answers are worth', async () => {
  await using upstream = await startUpstream({ intervalMs: 0 })
  const way = { name: 'way', url: upstream.url, rival: false }
  const load = () => closedLoop({ url: upstream.url, connections: 2, requests: 10 }, () => {})
  expect(await withCosts(way, upstream, load)).toMatchObject({ total: 10, upstreamShare: 1, cpuMicroseconds: 0, complaint: undefined })
  expect(await withCosts(way, upstream, load, 1)).toMatchObject({ upstreamShare: 1 })

  const claims = (total: number, share?: number) => withCosts(way, upstream, async () => ({ ...(await load()), total }), share)
  await expect(claims(11)).rejects.toThrow('way: 1 of 11 answers did not come from the upstream')
  await expect(claims(10, 0)).rejects.toThrow('way: the upstream was asked 10 times for 10 answers, not 0 times')
  await expect(claims(450, 1 / 50)).rejects.toThrow('asked 10 times for 450 answers, not 9 times')
  expect(await claims(500, 1 / 50)).toMatchObject({ upstreamShare: 1 / 50 })
  // those that the time did not allow to be answered
  expect(await claims(9)).toMatchObject({ complaint: undefined })
})

test('wrong answers end the run, unless they are a rival’s', async () => {
  await using upstream = await startUpstream({ intervalMs: 0 })
  const load = async () => ({ total: 0, wrong: 2, firstWrong: 'status 500' })
  const way = { name: 'way', url: upstream.url }
  await expect(withCosts({ ...way, rival: false }, upstream, load)).rejects.toThrow('way: 2 answers were wrong, the first: status 500')
  expect((await withCosts({ ...way, rival: true }, upstream, load)).complaint).toContain('2 answers were wrong')
})
