/**
 * One buffer that every socket of this thread reads into. Node gives each read a buffer of its own,
 * 64 KB cut down to what came, and V8 marks its whole heap whenever some 64 MB of such buffers were
 * made: at messages of 1 MB that was a third of all CPU (docs/performance.md). What is read is lent
 * to the receiver until he returns (`Session.receive` in wire/effect.ts). Called by connection.ts.
 *
 * Node has this as `onread`, but not for the sockets that a server makes. The two symbols under which a
 * socket keeps it are learnt here from one that was given it; where that fails, in some later Node, `false`
 * is said, and who calls listens to 'data' as ever.
 */
import { Socket } from 'node:net'

const SIZE_OCTETS = 65_536

const buffer = Buffer.allocUnsafeSlow(SIZE_OCTETS)

type Received = (this: Socket, octets: Uint8Array) => void
type OnRead = (this: Socket, count: number) => boolean

interface Keys {
  readonly buffer: symbol
  readonly callback: symbol
}

const keys = learnt()

/** Calls `received` as the socket's method for all it reads from now on; false where that cannot be had. */
export function readShared(socket: Socket, received: Received): boolean {
  const handle = handleOf(socket)
  if (keys === undefined || handle === undefined) return false
  const kept = socket as unknown as Record<symbol, unknown>
  if (kept[keys.buffer] === buffer) return true
  kept[keys.callback] = onReadOf(received)
  kept[keys.buffer] = buffer
  handle.useUserBuffer(buffer)
  return true
}

/** One function for all sockets of a receiver: there are few receivers and many sockets. */
const known = new Map<Received, OnRead>()

function onReadOf(received: Received): OnRead {
  const before = known.get(received)
  if (before !== undefined) return before
  const made: OnRead = function (count) {
    received.call(this, buffer.subarray(0, count))
    return true
  }
  known.set(received, made)
  return made
}

interface Handle {
  useUserBuffer(octets: Uint8Array): void
}

/** The system's side of a socket; undefined where it is closed, or of another kind. */
function handleOf(socket: Socket): Handle | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: Partial<Handle> | null }
  return typeof handle?.useUserBuffer === 'function' ? (handle as Handle) : undefined
}

function learnt(): Keys | undefined {
  const onread = { buffer: new Uint8Array(1), callback: () => true }
  const probe = new Socket({ onread })
  const values = probe as unknown as Record<symbol, unknown>
  const symbols = Object.getOwnPropertySymbols(probe)
  const keptBuffer = symbols.find(key => values[key] === onread.buffer)
  const keptCallback = symbols.find(key => values[key] === onread.callback)
  probe.destroy()
  if (keptBuffer === undefined || keptCallback === undefined) return undefined
  return { buffer: keptBuffer, callback: keptCallback }
}
