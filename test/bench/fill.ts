/**
 * Puts deferred mail straight into the store of a server that is stopped: what would take an hour to come in and
 * fail stands there in seconds, as it would stand some hours later. Four fifths wait in the lanes of 2,000
 * dead destinations, each probed once an hour; the rest was told to come back, and falls due one by one.
 */
import { join } from 'node:path'
import { SqliteConnection } from '../../src/world/node/sqlite.ts'

export const DEAD_DOMAIN = 'dead.test'
export const BUSY_DOMAIN = 'busy.test'

const DESTINATIONS = 2_000
const HOUR_MS = 3_600_000
/** Ids and keys as queue/id.ts makes them, of mail that came two hours ago. */
const EPOCH_MS = Date.UTC(2025, 0, 1)

const BODY = 'INSERT INTO body (id, size_octets, octets) VALUES (?, ?, ?)'
const MESSAGE = `INSERT INTO message (id, body_id, head, size_octets, origin, reverse_path, body_kind, utf8,
  peer, received_at, unsettled) VALUES (?, ?, ?, ?, 'mx', 'sender@source.test', '7BIT', 0, '[127.0.0.1]', ?, 1)`
const RECIPIENT = `INSERT INTO recipient (message_id, n, address, domain, state, due_at, attempts, status, reason, lane)
  VALUES (?, 0, ?, ?, 'queued', ?, 4, ?, ?, ?)`
const LANE = `INSERT INTO lane (name, state, since, until_at, wait_ms, status, reason, changed_at)
  VALUES (?, 'down', ?, ?, ?, '4.4.1', 'no connection', ?)`

/** @param data the server's folder, of which nobody holds the lock */
export function fillDeferred(data: string, messages: number): void {
  const connection = new SqliteConnection(join(data, 'postrider.db'))
  const now = Date.now()
  const receivedAt = now - 2 * HOUR_MS
  const head = Buffer.from('Received: by bench.test; Fri, 27 Nov 2026 12:00:00 +0000\r\n')
  const body = Buffer.from(`From: <sender@source.test>\r\nSubject: x\r\n\r\n${'x'.repeat(900)}\r\n`)
  connection.execute('PRAGMA synchronous = OFF')
  connection.execute('BEGIN')
  for (let n = 0; n < DESTINATIONS; n++) {
    const until = now + Math.round((HOUR_MS * (n + 1)) / DESTINATIONS)
    connection.run(LANE, [`mx:d${n}.${DEAD_DOMAIN}`, receivedAt, until, HOUR_MS, receivedAt])
  }
  const first = (receivedAt - EPOCH_MS) * 4096
  for (let i = 0; i < messages; i++) {
    const key = first + i
    const id = `${key.toString(32).padStart(11, '0')}00000`
    connection.run(BODY, [key, body.length, body])
    connection.run(MESSAGE, [id, key, head, head.length + body.length, receivedAt])
    const n = (i * 7919) % DESTINATIONS
    if (i % 5 > 0) {
      const domain = `d${n}.${DEAD_DOMAIN}`
      // Its sender is told of the delay four hours behind its acceptance.
      const due = receivedAt + 4 * HOUR_MS
      const row = [id, `u${i}@${domain}`, domain, due, '4.4.1', 'no connection', `mx:${domain}`]
      connection.run(RECIPIENT, row)
    } else {
      const domain = `d${n}.${BUSY_DOMAIN}`
      const due = now + Math.round((HOUR_MS * (i + 1)) / messages)
      const row = [id, `u${i}@${domain}`, domain, due, '4.7.1', 'come back later', null]
      connection.run(RECIPIENT, row)
    }
  }
  connection.execute('COMMIT')
  connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
  connection.close()
}
