/** The load generator: Postfix's smtp-source, the same for every peer. */
import { connect } from 'node:net'
import { run } from './program.ts'

export interface Load {
  readonly messages: number
  readonly sizeOctets: number
  readonly sessions: number
  /** True: connections are kept; false: each message has a connection of its own. */
  readonly kept: boolean
}

/** Sends it; resolves when the last message has its 250. */
export async function send(load: Load, port: number, to: string): Promise<void> {
  await run('smtp-source', [
    ...(load.kept ? ['-d'] : []),
    ...['-s', String(load.sessions), '-l', String(load.sizeOctets), '-m', String(load.messages)],
    ...['-f', 'sender@source.test', '-t', to, `127.0.0.1:${port}`],
  ])
}

/** True once somebody listens on that port and greets; else undefined. */
export function accepts(port: number, address = '127.0.0.1'): Promise<true | undefined> {
  return new Promise(resolve => {
    const socket = connect(port, address)
    socket.once('error', () => resolve(undefined))
    socket.once('data', () => {
      socket.end('QUIT\r\n')
      resolve(true)
    })
  })
}
