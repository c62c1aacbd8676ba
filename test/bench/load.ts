/** The load generator: Postfix's smtp-source, the same for every peer. */
import { connect } from 'node:net'
import { run } from './program.ts'

export interface Load {
  readonly messages: number
  readonly sizeOctets: number
  readonly sessions: number
  /** True: connections are kept; false: each message has a connection of its own. */
  readonly kept: boolean
  readonly lmtp?: boolean
}

/** Sends it; resolves when the last message has its 250. */
export async function send(load: Load, port: number, to: string, limitMs?: number): Promise<void> {
  const args = [
    ...(load.lmtp ? ['-L'] : []),
    ...(load.kept ? ['-d'] : []),
    ...['-s', String(load.sessions), '-l', String(load.sizeOctets), '-m', String(load.messages)],
    ...['-f', 'sender@source.test', '-t', to, `127.0.0.1:${port}`],
  ]
  await run('smtp-source', args, limitMs)
}

/** True once somebody listens on that port and greets; else undefined. */
export function accepts(port: number, address = '127.0.0.1'): Promise<true | undefined> {
  return new Promise(resolve => {
    const socket = connect(port, address)
    // Also who takes the connection and closes it, or says nothing.
    socket.setTimeout(5_000, () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', () => resolve(undefined))
    socket.once('data', () => {
      socket.end('QUIT\r\n')
      resolve(true)
    })
  })
}
