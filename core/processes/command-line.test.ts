// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, test } from 'bun:test'
import { splitCommand, unusableCommand } from './command-line.ts'
import { fillIn } from './command-placeholders.ts'

describe('a command line is taken apart', () => {
  test.each<[string, string[] | undefined]>([
    ['', []],
    ['  a  b\tc\r\nd ', ['a', 'b', 'c', 'd']],
    [`a "b c" 'd e' f"g h"i'j k'`, ['a', 'b c', 'd e', 'fg hij k']],
    [`a "" '' b`, ['a', '', '', 'b']],
    [`a "it's" 'say "x"'`, ['a', "it's", 'say "x"']],
    ['a \\"b\\" c\\ d e\\\\f', ['a', '"b"', 'c d', 'e\\f']],
    ['"a \\" \\\\ \\n"', ['a " \\ \\n']],
    ["'a\\b' 'c\\'", ['a\\b', 'c\\']],
    ['C:\\tools\\serve.exe -m "D:\\my models\\a.gguf"', ['C:\\tools\\serve.exe', '-m', 'D:\\my models\\a.gguf']],
    ["'\\\\box\\share\\a.exe' x", ['\\\\box\\share\\a.exe', 'x']],
    ['serve \\\n  --port 1 \\\r\n  -x', ['serve', '--port', '1', '-x']],
    ['a > b | c; $(d) `e` *', ['a', '>', 'b', '|', 'c;', '$(d)', '`e`', '*']],
    ['a #b', ['a', '#b']],
    ['end \\', ['end', '\\']],
    ['"open', undefined],
    ["it's", undefined],
    ['"a\\"', undefined],
  ])('%p', (line, words) => {
    expect(splitCommand(line)).toEqual(words as string[])
  })

  test.each<[string, string | undefined]>([
    ['serve', undefined],
    ['"a b" c', undefined],
    ['serve "', 'has a quote that is never closed'],
    ['"" x', 'must begin with the name of a program'],
    [' \\\n ', 'must begin with the name of a program'],
  ])('%p is usable, or the reason why not is said', (line, problem) => {
    expect(unusableCommand(line)).toBe(problem as string)
  })
})

describe('a word is filled in', () => {
  const values = { PORT: '8081', MODEL_ID: 'a b', API_KEY: 'sk-fake' }
  const fill = (word: string, env: Record<string, string> = {}) => fillIn(word, values, name => env[name])

  test.each([
    ['--port=${PORT}', '--port=8081'],
    ['${MODEL_ID}/${API_KEY}/${MODEL_ID}', 'a b/sk-fake/a b'],
    ['${env.HOME}/x', '/home/me/x'],
    ['${env.PORT} ${PORT}', '1 8081'],
    ['${OTHER} $PORT ${} ${constructor}', '${OTHER} $PORT ${} ${constructor}'],
  ])('%p', (word, filled) => {
    expect(fill(word, { HOME: '/home/me', PORT: '1' })).toBe(filled)
  })

  test('what comes in is not filled in again, and nothing in it is special', () => {
    expect(fill('${env.A}', { A: "${PORT} $& $' ${env.A}" })).toBe("${PORT} $& $' ${env.A}")
  })

  test('a variable that is not set is a mistake; an empty one is empty', () => {
    expect(() => fill('x ${env.NOPE}')).toThrow('the variable NOPE is needed, but not set')
    expect(fill('x${env.A}y', { A: '' })).toBe('xy')
  })
})
