import { expect, test } from 'bun:test'
import { crashLoopText, historyLines, isCrashLoop, judgeStarts, reportHistory, type Start } from './starts.ts'

const startedAt = (time: string, stopped = false): Start => ({
  startedAt: `2026-01-02T${time}.000Z`,
  ...(stopped && { stoppedAt: `2026-01-02T${time}.500Z` }),
})
const judge = (before: readonly Start[], next: string) => judgeStarts(before, Date.parse(`2026-01-02T${next}Z`))
const levels = (before: readonly Start[], next: string) => historyLines(judge(before, next)).map(({ level }) => level)

test('a run ends at the latest when the next one starts', () => {
  const long = [startedAt('00:00:00')]
  expect(judge(long, '09:00:00')).toEqual({
    uncleanEnds: 1,
    withinMs: 0,
    lastStartedAt: '2026-01-02T00:00:00.000Z',
    lastEndedCleanly: false,
  })
  expect(levels(long, '09:00:00')).toEqual(['warn'])
})

test('three ends within ten minutes are a loop, two are not, and clean ones do not count', () => {
  const two = [startedAt('03:00:00'), startedAt('03:01:00')]
  expect(levels(two, '03:02:00')).toEqual(['warn'])
  expect(levels([...two, startedAt('03:02:00')], '03:03:00')).toEqual(['warn', 'error'])
  expect(levels([...two, startedAt('03:02:00', true)], '03:03:00')).toEqual([])
  expect(levels([startedAt('02:00:00'), startedAt('02:10:00'), startedAt('02:20:00')], '02:30:01')).toEqual(['warn'])
})

test('a loop that was stopped in the end is still told of', () => {
  const crashes = [startedAt('03:00:00'), startedAt('03:00:10'), startedAt('03:00:20'), startedAt('03:00:30', true)]
  expect(levels(crashes, '03:01:00')).toEqual(['error'])
})

test('the line says how often, and in how many minutes', () => {
  const crashes = ['03:00:00', '03:01:10', '03:02:20', '03:03:30'].map(time => startedAt(time))
  const history = judge(crashes, '03:04:00')
  expect(isCrashLoop(history)).toBe(true)
  expect(crashLoopText(history)).toBe('crash loop: gatehouse ended 4 times within 3 minutes without being stopped')
  expect(crashLoopText({ uncleanEnds: 3, withinMs: 0 })).toContain('within 1 minute without')
})

test('starts from the future, before the clock was set back, do not count', () => {
  const future = [startedAt('08:00:00'), startedAt('08:00:10'), startedAt('08:00:20'), startedAt('08:00:30')]
  expect(judge(future, '03:00:00').uncleanEnds).toBe(1)
})

test('what is reported of a loop ends when a run goes on', () => {
  const history = judge([startedAt('03:00:00'), startedAt('03:00:10'), startedAt('03:00:20')], '03:00:30')
  const at = (minutes: number) => reportHistory(history, 0, minutes * 60_000)
  expect(at(9)).toEqual({ last_run_ended_cleanly: false, unclean_ends: 3, crash_loop: true })
  expect(at(11).crash_loop).toBe(false)
  expect(reportHistory(judge([], '03:00:00'), 0, 0)).toEqual({ last_run_ended_cleanly: null, unclean_ends: 0, crash_loop: false })
})
