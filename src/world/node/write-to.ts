/** Writes to a socket, of several pieces all by one system call (`Connection.write` in world/net.ts). Called by connection.ts. */
import type { Socket } from 'node:net'
import type { Output } from '../../wire/output.ts'

export function writeTo(
  socket: Socket,
  output: Output | readonly Output[],
  left: (() => void) | undefined,
): boolean {
  // A write after the end would be an error event; the close is under way already.
  if (!socket.writable) return true
  const written = left && ((error?: Error | null) => error ?? left())
  if (typeof output === 'string' || output instanceof Uint8Array) {
    return written ? socket.write(output, written) : socket.write(output)
  }
  let takes = true
  const last = output.length - 1
  socket.cork()
  for (const [at, piece] of output.entries()) {
    takes = at === last && written ? socket.write(piece, written) : socket.write(piece)
  }
  socket.uncork()
  return takes
}
