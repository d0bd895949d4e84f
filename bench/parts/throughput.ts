import { openWays } from '../house/ways.ts'
import type { Part } from '../report/part.ts'
import { median } from '../report/stats.ts'
import { show } from '../report/table.ts'
import { measureCell } from './cell.ts'
import { ratiosOf } from './rounds.ts'

const connections = 50
const warmUpSeconds = 0.5
const rounds = { short: 3, usual: 7, long: 7 }
const seconds = { short: 0.5, usual: 2, long: 20 }
const goal = 0.5

/** Answers and events per second over 50 connections: direct, through gatehouse, nginx and the rivals, in turn. */
export const throughput: Part = {
  name: 'throughput',
  async run(setting) {
    await using ways = await openWays(setting, { everyNginx: true })
    const common = { connections, rounds: rounds[setting.length], warmUpSeconds, seconds: seconds[setting.length] }
    const whole = await measureCell({ ...common, prefix: '' }, ways.all, ways)
    // how nginx talks to the upstream matters per request, and there are few of them
    const fewer = ways.all.filter(({ name }) => !/^nginx (?!plain$)/.test(name))
    const streams = await measureCell({ ...common, prefix: 'stream_', events: 50 }, fewer, ways)
    const ratio = setting.nginx && median(ratiosOf(whole.rounds, 'gatehouse', 'nginx plain', result => result.perSecond))
    return {
      tables: [whole.table, streams.table],
      notes: [...whole.notes, ...streams.notes],
      figures: { ...whole.figures, ...streams.figures },
      targets:
        typeof ratio === 'number'
          ? [{ what: `whole answers: gatehouse ÷ nginx plain is ${show(ratio, 2)}, at least ${goal}`, met: ratio >= goal }]
          : [],
    }
  },
}
