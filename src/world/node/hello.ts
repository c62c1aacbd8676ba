/**
 * The first octets of a TLS client, waited for before anything is made for its handshake: it speaks first (RFC 8446
 * §4.1.2), and who connects and says nothing has cost no more than his socket. They are read and left in it, where the
 * TLS socket that is made of it finds them. Called by connection.ts.
 */
import type { Socket } from 'node:net'

/** Resolves when they are here; false where the peer goes, or is cut, without a word. */
export function hello(socket: Socket): Promise<boolean> {
  return new Promise(resolve => {
    const look = () => {
      socket.off('readable', look).off('close', look)
      resolve(socket.readableLength > 0 && !socket.destroyed)
    }
    if (socket.readableLength > 0 || socket.destroyed) look()
    // At the peer's end it is readable too, and there is nothing.
    else socket.on('readable', look).on('close', look)
  })
}
