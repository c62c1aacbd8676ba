/**
 * The process that the crash tests kill: accepts messages by twenty callers at once and prints the
 * number of each on a line when it is durable. Arguments: path, first number, octets of a body.
 */
import { openStore } from '../../src/store/open.ts'
import { StoreError } from '../../src/store/store.ts'
import { silent } from '../../src/world/log.ts'
import { accept, settle } from './store-room.ts'

const [path = '', first = '0', size = '1000'] = process.argv.slice(2)
const modules = [new URL('./store-room.ts', import.meta.url)]
const clock = { now: Date.now, monotonic: () => 0, after: () => ({ cancel() {} }) }
const store = await openStore({ path, modules, clock, log: silent })
let next = Number(first)

async function caller(): Promise<void> {
  for (;;) {
    const n = next++
    const octets = new Uint8Array(Number(size)).fill(n & 0xff)
    try {
      // A line only after the answer: what the parent has read was acknowledged.
      process.stdout.write(`${await store.write(accept, { n, octets })}\n`)
      if (n % 3 === 0) await store.write(settle, n)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      process.stdout.write(`${error.reason}\n`)
      // Breathes, so that a full disk does not fill the pipe.
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

await Promise.all(Array.from({ length: 20 }, caller))
