/** One request that must be refused. `raw` bodies are sent as they are. */
export interface Malformed {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

type Random = () => number

/** Bodies of which one field is wrong; the others, if any, are right, so that it is that field that must be seen. */
export function malformedRequest(random: Random): Malformed {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const kind = pick(kinds)
  return kind(pick, random)
}

type Pick = <T>(all: readonly T[]) => T
type Kind = (pick: Pick, random: Random) => Malformed

// JSON texts, because JSON.stringify cannot write most of them
const noText = [
  'null',
  '1',
  'true',
  '[]',
  '{}',
  '""',
  '"   "',
  '"a\\u0000b"',
  '"a\\nb"',
  '"\\ud800"',
  '"\\u202eevil"',
  `"${'x'.repeat(3000)}"`,
  '"\\u2028"',
]
const noAmount = [
  '-1',
  '-0',
  '1e400',
  '-1e400',
  '1.5',
  '1e-9',
  '9007199254740992',
  '1e21',
  '"1"',
  '"NaN"',
  '"none"',
  '[]',
  '[1]',
  '{}',
  'true',
  'false',
  '""',
]
const noFlag = ['null', '0', '1', '"true"', '"false"', '[]', '{}', '""']
const noList = ['null', '1', '"a"', '{}', 'true', '[null]', '[1]', '[[]]', '[{}]', '[""]', '["a\\u0007"]', `[${'"a",'.repeat(1000)}"a"]`]
const noWord = ['"Day"', '"week"', '1', '[]', '{}', 'true', '""', '"constructor"', '"__proto__"']
const noAddress = [
  '["1.2.3"]',
  '["1.2.3.4/33"]',
  '["::1/129"]',
  '["fe80::1%lo"]',
  '["localhost"]',
  '["1.2.3.4", "01.2.3.4"]',
  '["*"]',
  '[" "]',
  '["1.2.3.4/-0"]',
]
const noEndpoint = [
  '["/nope"]',
  '["/admin/keys"]',
  '["/admin/*"]',
  '["v1/models"]',
  '["*"]',
  '["/v1/../admin/keys"]',
  '["/v1/%6dodels"]',
  '["/v1//models"]',
  '[""]',
  '["/v1/chat/*/x"]',
  '["chat.completions"]',
]
const noTime = [
  '1',
  '"tomorrow"',
  '"30d"',
  '"2027-02-30"',
  '"2027-02-30T00:00:00Z"',
  '"2027-13-01"',
  '"2027-01-01T25:00:00Z"',
  '"2027-01-01T00:00:00"',
  '"2001-01-01"',
  '"+275760-09-14T00:00:00Z"',
  '"1969-12-31"',
  '[]',
  '{}',
  'true',
  '""',
  '"Infinity"',
  '"2027-01-01T00:00:00Z "',
]
const noVersion = ['0', '-1', '1.5', '"1"', 'null', 'true', '[]', '9007199254740992', '-0']
const noUrl = [
  '1',
  '""',
  '"localhost"',
  '"ftp://h"',
  '"http://"',
  '"http://h:99999"',
  '"http://h?x"',
  '"http://h#x"',
  '"http://u:p@h"',
  '"javascript:alert(1)"',
  '[]',
  '{}',
  '"file:///x"',
  '"http://[::1"',
  '"\\u0000"',
]

const keyFields: Readonly<Record<string, readonly string[]>> = {
  name: noText,
  enabled: noFlag,
  quota: noAmount,
  quota_period: [...noWord, 'null'],
  rate_limit: noAmount,
  tokens_per_minute: noAmount,
  max_concurrency: noAmount,
  allowed_ips: [...noList, ...noAddress],
  allowed_models: noList,
  allowed_endpoints: [...noList.slice(1), ...noEndpoint],
  allowed_tools: noList,
  cache_scope: noWord,
  expires_at: noTime,
}
const modelFields: Readonly<Record<string, readonly string[]>> = {
  name: [...noText, '"a*"'],
  backend: [...noText, '"nobody"', '"model:1"'],
  base_url: noUrl,
  upstream_model: noText.slice(1),
  enabled: noFlag,
}
const strangers = [
  'id',
  'used',
  'prefix',
  'key',
  'created_at',
  'source',
  'shadowed',
  'quotaPeriod',
  'Name',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(5000),
  '',
  'api_key',
  'sha256',
  'nme',
  'ratelimit',
  '\u0000',
]

const json = (fields: Readonly<Record<string, string>>) =>
  `{${Object.entries(fields)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`

const wrongField: Kind = pick => {
  const [place, fields, right] = pick([
    ['keys', keyFields, { name: '"right"' }],
    ['models', modelFields, { name: '"right"', backend: '"vllm"', base_url: '"http://192.0.2.1:8000"' }],
  ] as const)
  const [name, values] = pick(Object.entries(fields))
  const create = pick([true, false])
  // __proto__ as a computed name is a field like any other
  const body = json({ ...(create ? right : {}), [name]: pick(values) })
  return create ? { method: 'POST', path: `/admin/${place}`, body } : { method: 'PUT', path: `/admin/${place}/1`, body }
}

const strangeField: Kind = pick => {
  const [path, right] = pick([
    ['/admin/keys', '"name":"right",'],
    ['/admin/models', '"name":"right","backend":"up",'],
    ['/admin/keys/1/rotate', ''],
    ['/admin/models/sync', ''],
  ] as const)
  return { method: 'POST', path, body: `{${right}${JSON.stringify(pick(strangers))}:1}` }
}

const wrongVersion: Kind = pick =>
  pick([
    { method: 'PUT', path: `/admin/${pick(['keys', 'models'])}/1`, body: `{"enabled":false,"version":${pick(noVersion)}}` },
    { method: 'POST', path: '/admin/keys/1/rotate', body: `{"version":${pick(noVersion)}}` },
    {
      method: 'DELETE',
      path: `/admin/${pick(['keys', 'models'])}/1?version=${pick(['', '0', '-1', '1.0', 'x', '01', '1e0', '9007199254740993', 'null'])}`,
    },
  ])

const staleVersion: Kind = (pick, random) => {
  const version = 2 + Math.floor(random() * 1e6)
  return pick([
    { method: 'PUT', path: `/admin/${pick(['keys', 'models'])}/1`, body: `{"enabled":false,"version":${version}}` },
    { method: 'POST', path: '/admin/keys/1/rotate', body: `{"version":${version}}` },
    { method: 'DELETE', path: `/admin/${pick(['keys', 'models'])}/1?version=${version}` },
  ])
}

const ids = [
  '0',
  '-0',
  '01',
  '1.0',
  '1e0',
  '0x1',
  'one',
  '%20',
  '1%20',
  '%00',
  '%ff',
  '9007199254740992',
  '99999999999999999999',
  'NaN',
  'null',
  "1'--",
  '1;DROP',
  '٣',
  '..%2f1',
  '1,2',
  '+1',
  '2',
  '999',
  '-7',
]

const wrongId: Kind = pick => {
  const id = pick(ids)
  return pick([
    { method: 'GET', path: `/admin/${pick(['keys', 'models'])}/${id}` },
    { method: 'PUT', path: `/admin/${pick(['keys', 'models'])}/${id}`, body: '{"enabled":false}' },
    { method: 'DELETE', path: `/admin/${pick(['keys', 'models'])}/${id}` },
    { method: 'POST', path: `/admin/keys/${id}/rotate`, body: '{}' },
    { method: 'GET', path: `/admin/keys/${id}/usage` },
  ])
}

const numbers = ['', '-2', '1.5', '1e2', 'x', '0x10', 'NaN', 'Infinity', '9007199254740993', '01', '%00', '%F0%9F%91%BB', '1%200', 'null']

const wrongQuery: Kind = pick => {
  const path = pick(['/admin/keys', '/admin/models', '/admin/audit', '/admin/usage', '/admin/keys/1/usage'])
  const query = pick([
    `limit=${pick([...numbers, '0', '1001'])}`,
    `after=${pick(numbers)}`,
    'limit=1&limit=2',
    `${pick(['lmit', 'offset', 'page', '__proto__', 'constructor', 'x'.repeat(2000), ''])}=1`,
  ])
  return { method: 'GET', path: `${path}?${query}` }
}

const noBody: Kind = (pick, random) => {
  const garbage = Array.from({ length: Math.floor(random() * 40) }, () => String.fromCharCode(32 + Math.floor(random() * 95))).join('')
  return {
    method: pick(['POST', 'PUT']),
    path: pick(['/admin/keys/1', '/admin/models/1', '/admin/keys', '/admin/models', '/admin/models/sync', '/admin/keys/1/rotate']),
    body: pick([
      '[]',
      'null',
      '1',
      '"x"',
      'true',
      '{',
      '{"name":',
      `(${garbage}`,
      '{"name":"a"}}',
      '{"a":NaN}',
      '{"quota":+1}',
      '{"quota":01}',
      '\u0000',
      '{"name":\'a\'}',
      '{name:"a"}',
      '['.repeat(5000),
      `{"a":${'['.repeat(201)}${']'.repeat(201)}}`,
    ]),
  }
}

const wrongHeaders: Kind = pick => ({
  method: 'POST',
  path: pick(['/admin/keys', '/admin/models', '/admin/models/sync', '/admin/keys/1/rotate']),
  body: '{"name":"right","backend":"up"}',
  headers: pick([
    { 'content-type': 'text/xml' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/octet-stream' },
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'x'.repeat(500) },
  ]),
})

const wrongMethod: Kind = pick =>
  pick([
    { method: 'PATCH', path: '/admin/keys/1', body: '{"enabled":false}' },
    { method: 'DELETE', path: '/admin/keys' },
    { method: 'PUT', path: '/admin/keys', body: '{"name":"a"}' },
    { method: 'POST', path: '/admin/keys/1', body: '{"enabled":false}' },
    { method: 'POST', path: '/admin/audit', body: '{}' },
    { method: 'DELETE', path: '/admin/audit' },
    { method: 'POST', path: '/admin/usage', body: '{}' },
    { method: 'GET', path: '/admin/keys/1/rotate' },
    { method: 'DELETE', path: '/admin/keys/1/rotate' },
    { method: 'GET', path: '/admin/keys/1/nothing' },
    { method: 'GET', path: '/admin/models/sync' },
    { method: 'PUT', path: '/admin/models/-1', body: '{"enabled":false}' },
    { method: 'DELETE', path: '/admin/models/-1' },
  ])

const wrongGrace: Kind = pick => ({
  method: 'POST',
  path: '/admin/keys/1/rotate',
  body: `{"grace":${pick(['1', '"1"', '"-1h"', '"1d"', '"721h"', '"none"', '""', '[]', '{}', 'true', '"h"', '1e400', '"1h1"', `"${'9'.repeat(400)}h"`])}}`,
})

const wrongSync: Kind = pick => ({
  method: 'POST',
  path: '/admin/models/sync',
  body: pick([
    '{"dry_run":1}',
    '{"dry_run":"true"}',
    '{"backend":"nobody"}',
    '{"backend":1}',
    '{"backend":[]}',
    '{"backend":""}',
    '{"backend":"model:1"}',
    '{"dryrun":true}',
  ]),
})

const kinds: readonly Kind[] = [
  wrongField,
  wrongField,
  wrongField,
  wrongField,
  strangeField,
  wrongVersion,
  staleVersion,
  wrongId,
  wrongQuery,
  noBody,
  wrongHeaders,
  wrongMethod,
  wrongGrace,
  wrongSync,
]
