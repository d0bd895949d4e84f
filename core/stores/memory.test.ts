import { testStore } from './contract.ts'
import { memoryStore } from './memory.ts'

testStore('memory', () => {
  let time = 1_000_000
  return {
    store: memoryStore(() => time),
    advance: ms => {
      time += ms
    },
  }
})
