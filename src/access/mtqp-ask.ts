/**
 * Asks an MTQP server (RFC 3887) what became of one message, over a connection that stands. For the command
 * line and for tests.
 */
import {
  type ClientAnswer,
  type ClientEvent,
  type ClientQuestion,
  ClientSession,
  type TrackResult,
  type TrackSettings,
} from '../mtqp/client/session.ts'
import type { Clock } from '../world/clock.ts'
import { silent } from '../world/log.ts'
import type { Connection } from '../world/net.ts'
import { pump } from '../world/pump.ts'

/** Never rejects: whatever goes wrong is a result. */
export function askTracking(
  clock: Clock,
  connection: Connection,
  settings: TrackSettings,
): Promise<TrackResult> {
  return new Promise(resolve => {
    const running = pump<ClientQuestion, ClientAnswer, ClientEvent>({
      connection,
      clock,
      log: silent,
      role: {
        ask: ({ result }) => {
          resolve(result)
          return { kind: 'noted' }
        },
        failed: () => ({ kind: 'noted' }),
      },
      // §6: a certificate nobody vouches for is better than none; the secret is of this message alone.
      identity: () => ({ side: 'client', servername: settings.host, trust: 'opportunistic' }),
      session: sink => new ClientSession(sink, settings),
    })
    void running.closed.then(() => resolve({ kind: 'lost', why: 'the connection is gone' }))
  })
}
