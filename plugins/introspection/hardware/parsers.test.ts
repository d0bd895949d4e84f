import { describe, expect, test } from 'bun:test'
import { parseRocm, readAmdgpu } from './amd.ts'
import { parseApple } from './apple.ts'
import { isIntegrated, isVirtual, namesOf } from './gpu.ts'
import { parseLspci } from './lspci.ts'
import { parseNvidia } from './nvidia.ts'
import { parseWindows } from './windows.ts'

const mib = 1024 ** 2
const gib = 1024 ** 3

describe('nvidia-smi', () => {
  test('a line for each card', () => {
    const output = 'NVIDIA GeForce RTX 4090, 24564, 550.54.14\r\nNVIDIA GeForce RTX 3090, 24576, 550.54.14\r\n'
    expect(parseNvidia(output)).toEqual([
      { name: 'NVIDIA GeForce RTX 4090', vramBytes: 24564 * mib, driver: '550.54.14' },
      { name: 'NVIDIA GeForce RTX 3090', vramBytes: 24576 * mib, driver: '550.54.14' },
    ])
  })

  test('LlamaGate asked for two columns, and some versions write the unit all the same', () => {
    expect(parseNvidia('Tesla T4, 15360\n')).toEqual([{ name: 'Tesla T4', vramBytes: 15360 * mib }])
    expect(parseNvidia('Tesla T4, 15360 MiB\n')).toEqual([{ name: 'Tesla T4', vramBytes: 15360 * mib }])
  })

  test('a chip without memory of its own says so; another one that says so has no memory we could count on', () => {
    expect(parseNvidia('NVIDIA GB10, [N/A], 580.95.05')).toEqual([
      { name: 'NVIDIA GB10', vramBytes: 0, unified: true, driver: '580.95.05' },
    ])
    expect(parseNvidia('NVIDIA GeForce RTX 3080, [GPU requires reset], 535.1')).toEqual([
      { name: 'NVIDIA GeForce RTX 3080', vramBytes: 0, driver: '535.1' },
    ])
    expect(parseNvidia('Tesla K80, [Not Supported]')).toEqual([{ name: 'Tesla K80', vramBytes: 0 }])
  })

  test.each([
    'No devices were found',
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest driver is installed.",
    'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.54',
    'Fehler: Der Treiber antwortet nicht, bitte neu starten',
    'Erreur, le pilote ne répond pas, réessayez',
    '',
    '\0\0\0, \0',
  ])('no card in %j', output => {
    expect(parseNvidia(output)).toEqual([])
  })

  test('a number that cannot be is none', () => {
    expect(parseNvidia('NVIDIA X, 99999999999, 1.0')).toEqual([{ name: 'NVIDIA X', vramBytes: 0, driver: '1.0' }])
  })
})

describe('rocm-smi', () => {
  const card = (series: string, bytes: number) => ({
    'VRAM Total Memory (B)': String(bytes),
    'VRAM Total Used Memory (B)': '27856896',
    'Card Series': series,
    'Card Model': '0x744c',
    'Card Vendor': 'Advanced Micro Devices, Inc. [AMD/ATI]',
    'Card SKU': 'D70401XT',
    GUID: '26967',
  })

  test('cards in the order of their numbers, with the driver', () => {
    const output = JSON.stringify({
      card10: card('Radeon RX 7600', 8573157376),
      card2: card('Radeon RX 7900 XT', 21458059264),
      system: { 'Driver version': '6.10.5' },
    })
    expect(parseRocm(output)).toEqual([
      { name: 'Radeon RX 7900 XT', vramBytes: 21458059264, driver: '6.10.5' },
      { name: 'Radeon RX 7600', vramBytes: 8573157376, driver: '6.10.5' },
    ])
  })

  test("older versions: small letters, a series that is a number; the processor's own graphics are left out", () => {
    const output = `WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status\n\n${JSON.stringify({
      card0: {
        'vram total memory (b)': '17163091968',
        'Card series': '0x73bf',
        'Card model': 'Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]',
      },
      card1: { 'VRAM Total Memory (B)': '67108864', 'Card Series': 'Raphael' },
    })}\n`
    expect(parseRocm(output)).toEqual([{ name: 'Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]', vramBytes: 17163091968 }])
  })

  test('numbers as numbers, and a name nobody knows', () => {
    expect(parseRocm('{"card0":{"VRAM Total Memory (B)":17163091968,"Card Series":"N/A"}}')).toEqual([
      { name: 'AMD GPU', vramBytes: 17163091968 },
    ])
  })

  test.each(['ERROR: No AMD GPUs detected', '{}', '{"system":{"Driver version":"6"}}', '[1]', '{"card0":', '{"card0":null}', ''])(
    'no memory in %j',
    output => {
      expect(parseRocm(output).every(({ vramBytes }) => vramBytes === 0)).toBe(true)
    },
  )

  test('without rocm-smi, the driver itself', async () => {
    const files: Record<string, string> = {
      '/sys/class/drm/card1/device/mem_info_vram_total': '17163091968\n',
      '/sys/class/drm/card1/device/product_name': 'Instinct MI25\n',
      '/sys/class/drm/card0/device/mem_info_vram_total': '536870912\n',
    }
    expect(await readAmdgpu({ readFile: async path => files[path] })).toEqual([{ name: 'Instinct MI25', vramBytes: 17163091968 }])
    expect(await readAmdgpu({ readFile: async () => undefined })).toEqual([])
  })
})

describe('system_profiler', () => {
  test('Apple silicon', () => {
    const output = JSON.stringify({
      SPDisplaysDataType: [
        {
          _name: 'Apple M2 Pro',
          spdisplays_ndrvs: [{ _name: 'Color LCD', _spdisplays_pixels: '3456 x 2234' }],
          spdisplays_vendor: 'sppci_vendor_Apple',
          sppci_bus: 'spdisplays_builtin',
          sppci_cores: '19',
          sppci_device_type: 'spdisplays_gpu',
          sppci_model: 'Apple M2 Pro',
        },
      ],
    })
    expect(parseApple(output)).toEqual([{ name: 'Apple M2 Pro', vramBytes: 0, unified: true }])
  })

  test('an Intel Mac: the card counts, and not the graphics that share memory with the processor', () => {
    const output = JSON.stringify({
      SPDisplaysDataType: [
        { _name: 'kHW_IntelUHDGraphics630Item', sppci_model: 'Intel UHD Graphics 630', spdisplays_vram_shared: '1536 MB' },
        { _name: 'kHW_AMDRadeonPro5500MItem', sppci_model: 'AMD Radeon Pro 5500M', spdisplays_vram: '8 GB' },
      ],
    })
    expect(parseApple(output)).toEqual([{ name: 'AMD Radeon Pro 5500M', vramBytes: 8 * gib }])
  })

  test('sizes with a comma, sizes that are none, and output that is none', () => {
    const of = (spdisplays_vram: unknown) => parseApple(JSON.stringify({ SPDisplaysDataType: [{ sppci_model: 'X', spdisplays_vram }] }))
    expect(of('1,5 GB')).toEqual([{ name: 'X', vramBytes: 1.5 * gib }])
    expect(of('1536 MB')).toEqual([{ name: 'X', vramBytes: 1536 * mib }])
    expect(of('viel')).toEqual([{ name: 'X', vramBytes: 0 }])
    for (const broken of ['', 'Graphics/Displays:\n', '{"SPDisplaysDataType":null}', '{"SPDisplaysDataType":[1]}']) {
      expect(parseApple(broken)).toEqual([])
    }
  })
})

describe('PowerShell', () => {
  const answer = (controllers: unknown, drivers: unknown) => parseWindows(JSON.stringify({ controllers, drivers }))

  test("the driver's number where AdapterRAM ends at 4 GB; graphics of the processor are left out beside a card", () => {
    expect(
      answer(
        [
          { Name: 'NVIDIA GeForce RTX 4080', AdapterRAM: 4293918720, DriverVersion: '31.0.15.5222' },
          { Name: 'Intel(R) UHD Graphics 770', AdapterRAM: 1073741824, DriverVersion: '31.0.101.2125' },
        ],
        [
          { Name: 'Intel(R) UHD Graphics 770', Bytes: '' },
          { Name: 'NVIDIA GeForce RTX 4080', Bytes: '17171480576' },
          { Name: 'NVIDIA GeForce GTX 1060', Bytes: '6442450944' }, // taken out of the machine long ago
        ],
      ),
    ).toEqual([{ name: 'NVIDIA GeForce RTX 4080', vramBytes: 17171480576, driver: '31.0.15.5222' }])
  })

  test('one adapter comes without its list, a driver may write bytes', () => {
    expect(
      answer({ Name: 'AMD Radeon RX 7900 XTX', AdapterRAM: 4293918720 }, { Name: 'AMD Radeon RX 7900 XTX', Bytes: '0 0 0 0 6 0 0 0' }),
    ).toEqual([{ name: 'AMD Radeon RX 7900 XTX', vramBytes: 24 * gib }])
  })

  test('without the registry there are at least those 4 GB', () => {
    expect(answer([{ Name: 'Radeon RX 580 Series', AdapterRAM: -1048576 }], [])).toEqual([
      { name: 'Radeon RX 580 Series', vramBytes: 4293918720 },
    ])
  })

  test('only graphics of the processor, or only a virtual display', () => {
    expect(
      answer([{ Name: 'AMD Radeon(TM) Graphics', AdapterRAM: 536870912 }], [{ Name: 'AMD Radeon(TM) Graphics', Bytes: '536870912' }]),
    ).toEqual([{ name: 'AMD Radeon(TM) Graphics', vramBytes: 0 }])
    expect(
      answer([{ Name: 'Microsoft Hyper-V Video', AdapterRAM: null }, { Name: 'Parsec Virtual Display Adapter' }, { Name: null }], null),
    ).toEqual([])
    for (const broken of ['', 'Get-CimInstance : Zugriff verweigert', '{}', '{"controllers":null,"drivers":null}'])
      expect(parseWindows(broken)).toEqual([])
  })
})

describe('lspci', () => {
  test('names without memory; other devices and virtual displays are passed over', () => {
    const output = `00:00.0 Host bridge: Intel Corporation Device 4660 (rev 02)
00:02.0 VGA compatible controller: Intel Corporation AlderLake-S GT1 (rev 0c)
01:00.0 VGA compatible controller: NVIDIA Corporation GA102 [GeForce RTX 3090] (rev a1)
01:00.1 Audio device: NVIDIA Corporation GA102 High Definition Audio Controller (rev a1)
02:00.0 3D controller: NVIDIA Corporation TU104GL [Tesla T4] (rev a1)
03:00.0 VGA compatible controller: ASPEED Technology, Inc. ASPEED Graphics Family (rev 41)`
    expect(parseLspci(output).map(({ name, vramBytes }) => [name, vramBytes])).toEqual([
      ['Intel Corporation AlderLake-S GT1', 0],
      ['NVIDIA Corporation GA102 [GeForce RTX 3090]', 0],
      ['NVIDIA Corporation TU104GL [Tesla T4]', 0],
    ])
  })

  test.each([
    '00:02.0 VGA compatible controller: Device 1234:1111 (rev 02)',
    '00:0f.0 VGA compatible controller: VMware SVGA II Adapter',
    '00:02.0 VGA compatible controller: Cirrus Logic GD 5446',
    '00:01.0 Display controller: Red Hat, Inc. Virtio 1.0 GPU (rev 01)',
    '00:08.0 VGA compatible controller: Microsoft Corporation Hyper-V virtual VGA',
    '00:02.0 VGA compatible controller: InnoTek Systemberatung GmbH VirtualBox Graphics Adapter',
    '06:00.0 VGA compatible controller: Matrox Electronics Systems Ltd. G200eR2 (rev 01)',
    '00:03.0 VGA compatible controller: Amazon.com, Inc. Device 1111',
  ])('not a card: %s', line => {
    expect(parseLspci(line)).toEqual([])
  })
})

test.each([
  ['Intel(R) UHD Graphics 770', true],
  ['Intel(R) Iris(R) Xe Graphics', true],
  ['Intel(R) Arc(TM) Graphics', true],
  ['Intel(R) Arc(TM) A770 Graphics', false],
  ['Intel(R) Arc(TM) B580 Graphics', false],
  ['AMD Radeon(TM) Graphics', true],
  ['AMD Radeon 780M Graphics', true],
  ['AMD Radeon(TM) Vega 8 Graphics', true],
  ['AMD Radeon RX Vega 56', false],
  ['AMD Radeon RX 7900 XTX', false],
  ['NVIDIA GeForce RTX 4090', false],
])('graphics of a processor? %s', (name, expected) => {
  expect(isIntegrated(name)).toBe(expected)
  expect(isVirtual(name)).toBe(false)
})

test('cards of one kind are counted', () => {
  const of = (...names: string[]) => namesOf(names.map(name => ({ name, vramBytes: 0 })))
  expect([of(), of('A'), of('A', 'B', 'A')]).toEqual(['', 'A', '2x A + B'])
})
