import type { Asked, FinishReason, Step, Surroundings } from './scenario.ts'
import { slipOf } from './slips.ts'
import { callsFor } from './tool-arguments.ts'

type Behaviour = (asked: Asked, around: Surroundings) => Iterable<Step>

/** Whether a model of this name is there without being listed. */
export function isKnown(model: string): boolean {
  const name = bare(model)
  return name !== 'missing' && (Object.hasOwn(behaviours, name) || name === 'burst' || name === 'silent' || slipOf(name) !== undefined)
}

/** What the model of this name does; a name without a behaviour is an `echo`. */
export function behave(asked: Asked, around: Surroundings): Iterable<Step> {
  const name = bare(asked.model)
  const [, first = '0', second = '0'] = asked.model.split(':')
  if (name === 'burst') return burst(Number(first), Number(second))
  if (name === 'silent') return after([{ do: 'wait', ms: Number(first) }], asked, around)
  if (slipOf(name) !== undefined && asked.tools.length > 0) return callThenQuote(asked, 2)
  const behaviour = Object.hasOwn(behaviours, name) ? behaviours[name] : undefined
  return (behaviour ?? echo)(asked, around)
}

function bare(model: string): string {
  return model.split(':')[0] ?? ''
}

const text = (value: string): Step => ({ do: 'text', text: value })
const finish = (reason: FinishReason): Step => ({ do: 'finish', reason })

function* say(...parts: string[]): Iterable<Step> {
  for (const part of parts) yield text(part)
  yield finish('stop')
}

function* echo(_asked: Asked, around: Surroundings): Iterable<Step> {
  // Two chunks, so that a stream has something to be put together from.
  yield* say('n=', String(around.count()))
}

function* after(before: readonly Step[], asked: Asked, around: Surroundings): Iterable<Step> {
  yield* before
  yield* echo(asked, around)
}

function* burst(events: number, intervalMs: number): Iterable<Step> {
  for (let event = 1; event <= events; event++) {
    if (event > 1) yield { do: 'wait', ms: intervalMs }
    yield text(`${event} `)
  }
  yield finish('stop')
}

function* endless(): Iterable<Step> {
  const kilobyte = 'endless '.repeat(128)
  while (true) yield text(kilobyte)
}

function* calling(asked: Asked, count: number): Iterable<Step> {
  if (asked.tools.length === 0) return yield* say('no tools were offered')
  yield { do: 'calls', calls: callsFor(asked.tools, count) }
  yield finish('calls')
}

function* callThenQuote(asked: Asked, count: number): Iterable<Step> {
  if (asked.toolTexts.length > 0) return yield* say('the tool said: ', asked.toolTexts.join(' | '))
  yield* calling(asked, count)
}

const behaviours: Readonly<Record<string, Behaviour>> = {
  echo,
  *len() {
    yield text('cut off he')
    yield finish('length')
  },
  *tail() {
    yield text('one ')
    yield { do: 'finish', reason: 'stop', tail: 'two' }
  },
  *'no-done'() {
    yield text('one ')
    yield text('two ')
    yield finish('none')
  },
  *slow(_asked, around) {
    for (let chunk = 1; chunk <= 20; chunk++) {
      yield { do: 'wait', ms: around.chunkDelayMs }
      yield text(`${chunk} `)
    }
    yield finish('stop')
  },
  *missing() {
    yield { do: 'refuse', why: 'missing' }
  },
  *notools(asked, around) {
    if (asked.tools.length > 0) yield { do: 'refuse', why: 'notools' }
    else yield* echo(asked, around)
  },
  once: asked => callThenQuote(asked, 1),
  *two(asked) {
    // A model that says what it is about to do brings content and calls in one message.
    if (asked.toolTexts.length === 0 && asked.tools.length > 0) yield text('checking ')
    yield* callThenQuote(asked, 2)
  },
  many: asked => callThenQuote(asked, 15),
  forever: asked => calling(asked, 1),
  *mid() {
    yield text('one ')
    yield text('two ')
    yield { do: 'fail' }
  },
  *break() {
    yield text('one ')
    yield text('two ')
    yield { do: 'cut' }
  },
  *reset() {
    yield { do: 'cut' }
  },
  *'reset-once'(asked, around) {
    if (around.firstTime(asked.model)) yield { do: 'cut' }
    else yield* echo(asked, around)
  },
  *busy() {
    yield { do: 'refuse', why: 'busy' }
  },
  *'busy-once'(asked, around) {
    if (around.firstTime(asked.model)) yield { do: 'refuse', why: 'busy-once' }
    else yield* echo(asked, around)
  },
  *'down-once'(asked, around) {
    if (around.firstTime(asked.model)) yield { do: 'refuse', why: 'down' }
    else yield* echo(asked, around)
  },
  *boom() {
    yield { do: 'refuse', why: 'boom' }
  },
  *loading() {
    yield { do: 'refuse', why: 'loading' }
  },
  *overflow() {
    yield { do: 'refuse', why: 'overflow' }
  },
  *redirect() {
    yield { do: 'redirect' }
  },
  hold: (asked, around) => after([{ do: 'hold' }], asked, around),
  'hold-first': (asked, around) => after([{ do: 'open' }, { do: 'hold' }], asked, around),
  'hold-mid': (asked, around) => after([text('one '), text('two '), { do: 'hold' }], asked, around),
  endless,
  big: () => say('b'.repeat(1024 * 1024)),
  *unicode() {
    yield { do: 'text', text: 'héllo 世', split: true }
    yield { do: 'text', text: '界 🙂', split: true }
    yield finish('stop')
  },
  *think(asked) {
    if (asked.thinks) {
      yield { do: 'think', text: 'let me ' }
      yield { do: 'think', text: 'see' }
    }
    yield* say('seen')
  },
  json: (asked, around) => (asked.wantsJson ? say('{"ok":', 'true}') : echo(asked, around)),
  vision: asked => say(JSON.stringify({ images: asked.imageSizes.length, bytes: asked.imageSizes })),
  params: asked => say(JSON.stringify(asked.parameters)),
}
