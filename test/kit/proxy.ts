/** A TCP proxy on loopback that tests cut: the network between a node and its database. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** How many there were. */
  readonly connections: number
  /** Cuts every connection that stands, at once; new ones pass. */
  cut(): void
  /** From now on the server's answers are lost on connections that stand, and nobody is told. */
  deafen(): void
  /** A cable that is pulled: nothing passes, and nobody is told; new connections hear nothing either. */
  pull(yes: boolean): void
  /** So many of the next connections are cut once their client says anything behind its greeting. */
  cutYoung(connections: number): void
  /** Answers come so much later on connections made from now on. */
  delay(ms: number): void
  close(): Promise<void>
}

/** Opens a proxy to a port of this machine. */
export async function openProxy(to: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const answering = new Set<Socket>()
  let pulled = false
  let delayMs = 0
  let young = 0
  let connections = 0
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  }
  const server = createServer(near => {
    connections++
    const far = connect(to, '127.0.0.1')
    for (const socket of [near, far]) keep(socket.setNoDelay(true))
    if (young > 0) {
      young--
      near.once('data', () => near.once('data', () => near.resetAndDestroy()))
    }
    near.pipe(far)
    if (delayMs === 0) far.pipe(near)
    else {
      const late = delayMs
      far.on('data', octets => setTimeout(() => near.write(octets), late))
    }
    if (pulled) for (const socket of [near, far]) socket.pause()
    answering.add(far)
    far.on('close', () => answering.delete(far))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get connections() {
      return connections
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    deafen() {
      for (const far of answering) {
        far.unpipe()
        far.resume()
      }
    },
    pull(yes) {
      pulled = yes
      for (const socket of sockets) {
        if (yes) socket.pause()
        else socket.resume()
      }
    },
    cutYoung(connections) {
      young = connections
    },
    delay(ms) {
      delayMs = ms
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
