/** DEFLATE over a connection (RFC 4978): both directions, cut anywhere, slow readers, garbage and bombs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { type Output, octetsIn } from '../../wire/output.ts'
import type { Connection, ConnectionEvents } from '../net.ts'
import { DeflatedConnection } from './deflated.ts'

const endpoint = { address: '192.0.2.1', port: 1 }

/** What stands under it: what was written, and whether it is read. */
class Under implements Connection {
  readonly remote = endpoint
  readonly local = endpoint
  readonly written: Uint8Array[] = []
  events!: ConnectionEvents
  paused = false
  gone = false

  open(events: ConnectionEvents): void {
    this.events = events
  }
  release(): void {}
  write(output: Output | readonly Output[]): boolean {
    this.written.push(Buffer.from(octetsIn(output)))
    return true
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  secure(): Promise<never> {
    return Promise.reject(new Error('never'))
  }
  end(): void {}
  destroy(): void {
    if (this.gone) return
    this.gone = true
    queueMicrotask(() => this.events.closed())
  }
}

function opened() {
  const under = new Under()
  const connection = new DeflatedConnection(under)
  const heard: Buffer[] = []
  const ends: string[] = []
  const closed = new Promise<Error | undefined>(resolve =>
    connection.open({
      received: octets => heard.push(Buffer.from(octets)),
      ended: () => ends.push('ended'),
      drained: () => {},
      closed: resolve,
    }),
  )
  const text = () => Buffer.concat(heard).toString()
  return { under, connection, text, ends, closed }
}

const settled = () => new Promise(resolve => setTimeout(resolve, 20))

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250 && !holds(); tries++) await settled()
}

const flush = { finishFlush: constants.Z_SYNC_FLUSH }

test('what is written is one stream, each write of it whole at once', () => {
  const { under, connection } = opened()
  const lines = Array.from({ length: 200 }, (_, n) => `* ${n} FETCH (FLAGS (\\Seen) UID ${n})\r\n`)
  let told = ''
  for (const line of lines) {
    connection.write(Buffer.from(line))
    told += line
    const all = Buffer.concat(under.written)
    assert.equal(inflateRawSync(all, flush).toString(), told)
  }
  // It refers to what went before.
  assert.ok(Buffer.concat(under.written).length * 2 < told.length)
  connection.write(Buffer.alloc(100_000, 'abcdefg'))
  connection.write(Buffer.from('end'))
  const all = inflateRawSync(Buffer.concat(under.written), flush).toString()
  assert.ok(all.endsWith('abcdeend'))
})

test('what comes is inflated however it is cut', async () => {
  const { under, text, ends } = opened()
  const commands = 'a NOOP\r\nb LIST "" *\r\n'
  for (const octet of deflateRawSync(Buffer.from(commands), flush)) {
    under.events.received(Uint8Array.of(octet))
  }
  await until(() => text().length >= commands.length)
  assert.equal(text(), commands)
  under.events.ended()
  await until(() => ends.length > 0)
  assert.deepEqual(ends, ['ended'])
})

test('who is not read is not inflated further', async () => {
  const { under, connection, text } = opened()
  connection.pause()
  const octets = deflateRawSync(Buffer.alloc(4_000_000, 'x y z '), flush)
  for (let at = 0; at < octets.length; at += 1_000) {
    under.events.received(octets.subarray(at, at + 1_000))
  }
  await settled()
  assert.equal(under.paused, true)
  assert.equal(text(), '')
  connection.resume()
  await until(() => text().length >= 4_000_000)
  assert.equal(text().length, 4_000_000)
  assert.equal(under.paused, false)
})

test('a bomb and garbage end the connection, and nothing else', async () => {
  const bomb = opened()
  const octets = deflateRawSync(Buffer.alloc(40_000_000), flush)
  bomb.under.events.received(octets)
  assert.match(String(await bomb.closed), /bomb/)
  assert.ok(bomb.text().length <= 16 * 1_048_576 + 200 * octets.length)
  const garbage = opened()
  garbage.under.events.received(Buffer.from('a NOOP\r\n not deflated at all'))
  assert.ok((await garbage.closed) instanceof Error)
  assert.equal(garbage.text(), '')
})
