/** The three cells of memory, each on a server of its own: large messages, idle sessions, a long queue. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../load.ts'
import { dataFolder, type Postrider, startPostrider } from '../peer/postrider.ts'
import { type Memory, memoryOf } from '../proc.ts'
import { freePort, until } from '../program.ts'

/** Twenty messages of 25 MB at the same time; the memory at its peak. */
export function largeMessages(root: string): Promise<Memory> {
  return withServer(root, [], async server => {
    const load = { messages: 20, sizeOctets: 25_000_000, sessions: 20, kept: true }
    await send(load, server.port, server.local)
    await until('the large messages', async () =>
      (await server.done('deliver')) >= 20 ? true : undefined,
    )
    return memoryOf(server.pid)
  })
}

/** Sessions that have said EHLO and nothing more. */
export function idleSessions(root: string, count: number): Promise<Memory> {
  return withServer(root, ['limits.perAddress=10000'], async server => {
    const sockets: Socket[] = []
    try {
      while (sockets.length < count) {
        const some = Array.from({ length: Math.min(100, count - sockets.length) }, () =>
          idle(server.port),
        )
        sockets.push(...(await Promise.all(some)))
      }
      await sleep(2_000)
      return memoryOf(server.pid)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })
}

export interface LongQueue {
  readonly readyMs: number
  readonly atReady: Memory
  /** Twenty seconds behind the ready line. */
  readonly settled: Memory
}

/** A server that starts with so many messages waiting for a next hop that is down. */
export async function longQueue(root: string, count: number): Promise<LongQueue> {
  const folder = mkdtempSync(join(root, 'queue-'))
  const nobody = await freePort()
  const set = ['queue.retry=1d,1d', 'queue.delayWarning=30d', 'queue.expire=60d']
  const data = dataFolder(folder, 'ours')
  try {
    const filling = await startPostrider(data, nobody, set)
    try {
      const load = { messages: count, sizeOctets: 1024, sessions: 20, kept: true }
      await send(load, filling.port, filling.remote)
    } finally {
      await filling.stop()
    }
    const server = await startPostrider(data, nobody, set)
    try {
      const atReady = memoryOf(server.pid)
      await sleep(20_000)
      return { readyMs: server.readyMs, atReady, settled: memoryOf(server.pid) }
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function withServer<Result>(
  root: string,
  set: readonly string[],
  run: (server: Postrider) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(root, 'memory-'))
  try {
    const server = await startPostrider(dataFolder(folder, 'ours'), await freePort(), set)
    try {
      return await run(server)
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A connection that was greeted and has had its answer to EHLO. */
function idle(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    let greeted = false
    socket.once('error', reject)
    socket.on('data', octets => {
      heard += octets.toString('latin1')
      if (!greeted && heard.startsWith('220 ')) {
        greeted = true
        socket.write('EHLO idle.test\r\n')
      }
      if (/^250 /m.test(heard)) resolve(socket)
      else if (/^421/m.test(heard)) reject(new Error(heard))
    })
  })
}
