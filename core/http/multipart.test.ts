import { expect, test } from 'bun:test'
import { GatewayError } from '../errors.ts'
import { readForm, withField } from './multipart.ts'

async function encoded(entries: readonly (readonly [string, string | File])[]) {
  const form = new FormData()
  for (const [name, value] of entries) form.append(name, value)
  const response = new Response(form)
  const type = response.headers.get('content-type') as string
  return { bytes: (await response.bytes()) as Uint8Array<ArrayBuffer>, type }
}
const decode = (bytes: Uint8Array<ArrayBuffer>, type: string) => new Response(bytes, { headers: { 'content-type': type } }).formData()

test('the text fields are read, files are not', async () => {
  const { bytes, type } = await encoded([
    ['file', new File(['x'], 'model')],
    ['model', 'whisper'],
    ['prompt', 'héllo\r\n--nearly a boundary'],
    ['empty', ''],
  ])
  expect(readForm(bytes, type)).toEqual({ model: 'whisper', prompt: 'héllo\r\n--nearly a boundary', empty: '' })
})

test('a field gets another value; everything else stays, also a file that looks like a form', async () => {
  const trap = 'x name="model"\r\n\r\nORIGINAL\r\n--y\r\nContent-Disposition: form-data; name="model"\r\n\r\nno\r\n'
  for (const order of [0, 1]) {
    const file = ['file', new File([trap], 'model"; name="model')] as const
    const model = ['model', 'a'] as const
    const { bytes, type } = await encoded(order === 0 ? [file, model] : [model, file])
    const form = await decode(withField(bytes, type, 'model', 'a much longer name'), type)
    expect(form.get('model')).toBe('a much longer name')
    expect(await (form.get('file') as File).text()).toBe(trap)
  }
})

test('an empty value can be replaced', async () => {
  const { bytes, type } = await encoded([
    ['model', ''],
    ['b', 'c'],
  ])
  const form = await decode(withField(bytes, type, 'model', 'm'), type)
  expect([...form.entries()]).toEqual([
    ['model', 'm'],
    ['b', 'c'],
  ])
})

test('two models in one form are refused: which one counts is nobody’s to guess', async () => {
  const { bytes, type } = await encoded([
    ['model', 'a'],
    ['model', 'b'],
  ])
  expect(() => readForm(bytes, type)).toThrow(GatewayError)
})

const raw = (...lines: string[]) => new TextEncoder().encode(lines.join('\r\n')) as Uint8Array<ArrayBuffer>
const part = (disposition: string, content: string) => ['--b', `Content-Disposition: ${disposition}`, '', content]

test.each([
  ['a folded header', 'form-data;\r\n name="model"'],
  ['an extended name', "form-data; name*=utf-8''model"],
  ['an escaped name', 'form-data; name="mod\\el"'],
  ['a percent-encoded name', "form-data; name*=utf-8''m%6fdel"],
  ['a file called so', 'form-data; name="model"; filename=""'],
])('a second model hidden in %s is refused', (_, disposition) => {
  const form = raw(...part('form-data; name="model"', 'a'), ...part(disposition, 'evil'), '--b--', '')
  expect(() => readForm(form, 'multipart/form-data; boundary=b')).toThrow('names the model twice')
})

test('a line that only begins like the boundary is content, and nothing counts after the closing one', () => {
  const form = raw(
    ...part('form-data; name="file"; filename="f"', '--bX\r\nContent-Disposition: form-data; name="model"\r\n\r\nno'),
    ...part('form-data; name="model"', 'yes'),
    '--b--',
    ...part('form-data; name="model"', 'late'),
    '--b--',
    '',
  )
  expect(readForm(form, 'multipart/form-data; boundary=b')).toEqual({ model: 'yes' })
})

test('a form made to be slow is not', () => {
  const from = performance.now()
  expect(() => readForm(raw(...Array.from({ length: 200_000 }, () => '--b'), ''), 'multipart/form-data; boundary=b')).toThrow()
  const many = Array.from({ length: 2000 }, (_, i) => part(`form-data; name="f${i}"`, 'x')).flat()
  expect(() => readForm(raw(...many, '--b--', ''), 'multipart/form-data; boundary=b')).toThrow('more than 1000 parts')
  expect(performance.now() - from).toBeLessThan(10_000) // it took minutes when each part was searched to the end of the form
})

test.each([
  ['no boundary', 'multipart/form-data', '--x\r\n'],
  ['another boundary', 'multipart/form-data; boundary=y', '--x\r\n\r\n\r\n--x--'],
  ['nothing', 'multipart/form-data; boundary=x', ''],
])('%s is a 400', (_, type, text) => {
  expect(() => readForm(new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>, type)).toThrow('Invalid request body')
})

test('a form that is cut anywhere is read as far as it goes, or refused, and nothing worse', async () => {
  const { bytes, type } = await encoded([
    ['model', 'a'],
    ['file', new File(['12345'], 'f')],
  ])
  for (let length = 0; length < bytes.length; length++) {
    try {
      expect(['a', undefined]).toContain(readForm(bytes.slice(0, length), type).model)
    } catch (error) {
      expect(error).toBeInstanceOf(GatewayError)
    }
  }
})
