import { expect, test } from 'bun:test'
import { safeEnvironment } from './environment.ts'

test('passes on what a program needs to run and to find its GPU', () => {
  const needed = {
    PATH: '/bin',
    HOME: '/home/a',
    LC_ALL: 'C.UTF-8',
    TMPDIR: '/tmp',
    SystemRoot: 'C:\\Windows',
    'ProgramFiles(x86)': 'C:\\Program Files (x86)',
    CUDA_VISIBLE_DEVICES: '0,1',
    NVIDIA_VISIBLE_DEVICES: 'all',
    HIP_VISIBLE_DEVICES: '0',
    ROCR_VISIBLE_DEVICES: '0',
    HSA_OVERRIDE_GFX_VERSION: '10.3.0',
    LD_LIBRARY_PATH: '/opt/rocm/lib',
  }
  expect(safeEnvironment(needed)).toEqual(needed)
})

test('keeps what is ours, what is secret, and what nobody knows', () => {
  const kept = {
    GATEHOUSE_PORT: '1',
    API_KEY: 'sk-fake',
    ADMIN_API_KEY: 'sk-fake',
    OLLAMA_HOST: 'http://127.0.0.1:1',
    HF_TOKEN: 'hf-fake',
    NVIDIA_API_KEY: 'nv-fake',
    CUDA_SECRET: 'fake',
    AWS_SECRET_ACCESS_KEY: 'fake',
    HTTPS_PROXY: 'http://a:fake@proxy.example',
    BUN_FEATURE_FLAG_NO_ORPHANS: '1',
    BUN_CONFIG_MAX_HTTP_REQUESTS: '20000',
    NODE_OPTIONS: '--inspect',
    LD_PRELOAD: '/tmp/x.so',
    MY_PATH: '/x',
    EMPTY: undefined,
  }
  expect(safeEnvironment(kept)).toEqual({})
})
