import { testLeases } from './contract.ts'
import { memoryLeases } from './memory.ts'

testLeases('memory', async () => ({
  leases: memoryLeases(),
  async settled() {},
  async [Symbol.asyncDispose]() {},
}))
