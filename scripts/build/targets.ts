/** One of the files a release consists of. */
export interface Target {
  /** Its name in dist/. */
  readonly file: string
  /** What `bun build --target` calls the platform. */
  readonly platform: string
  /** The npm package that holds Bun for it; package-lock.json pins its version and bytes. */
  readonly runtime: string
  /** What `machineOf` must say of the file. */
  readonly machine: string
}

/**
 * The eight files of a release. There are no `-baseline` ones: Bun's x64 builds run on any CPU with SSE4.2 (2008) and
 * find out at run time what more there is.
 */
export const targets: readonly Target[] = [
  { file: 'gatehouse-linux-x64', platform: 'bun-linux-x64', runtime: '@oven/bun-linux-x64', machine: 'elf-x64-glibc' },
  { file: 'gatehouse-linux-arm64', platform: 'bun-linux-arm64', runtime: '@oven/bun-linux-aarch64', machine: 'elf-arm64-glibc' },
  { file: 'gatehouse-linux-x64-musl', platform: 'bun-linux-x64-musl', runtime: '@oven/bun-linux-x64-musl', machine: 'elf-x64-musl' },
  {
    file: 'gatehouse-linux-arm64-musl',
    platform: 'bun-linux-arm64-musl',
    runtime: '@oven/bun-linux-aarch64-musl',
    machine: 'elf-arm64-musl',
  },
  { file: 'gatehouse-darwin-x64', platform: 'bun-darwin-x64', runtime: '@oven/bun-darwin-x64', machine: 'mach-o-x64' },
  { file: 'gatehouse-darwin-arm64', platform: 'bun-darwin-arm64', runtime: '@oven/bun-darwin-aarch64', machine: 'mach-o-arm64' },
  { file: 'gatehouse-windows-x64.exe', platform: 'bun-windows-x64', runtime: '@oven/bun-windows-x64', machine: 'pe-x64' },
  { file: 'gatehouse-windows-arm64.exe', platform: 'bun-windows-arm64', runtime: '@oven/bun-windows-aarch64', machine: 'pe-arm64' },
]
