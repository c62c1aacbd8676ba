/** What becomes a body: whole, without what is not to be sent, whatever its size. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rangesOf } from '../message/complete.ts'
import { scanHeader } from '../message/header.ts'
import { sleep } from '../world/clock.ts'
import { type Disk, DiskFull, type StagedBody } from '../world/disk.ts'
import { createWorld } from '../world/sim/index.ts'
import { INLINE_MAX_BYTES, Intake } from './intake.ts'

const omit = (prefix: Uint8Array) => rangesOf(scanHeader(prefix), ['bcc', 'return-path'])
const head = 'Return-Path: <x@y>\r\nSubject: s\r\nBcc: a@b,\r\n c@d\r\nBCC : e@f\r\nTo: g@h\r\n'
const left = 'Subject: s\r\nTo: g@h\r\n'

for (const { name, text, size } of [
  { name: 'kept in memory', text: '\r\nBcc: in the text\r\n', size: 1000 },
  { name: 'staged', text: `\r\n${'x'.repeat(3 * INLINE_MAX_BYTES)}\r\n`, size: 60_000 },
  { name: 'cut at every octet', text: '\r\nbody\r\n', size: 1 },
]) {
  test(`fields that are not to be sent are left out of a body ${name}`, async () => {
    const internet = createWorld({ seed: 1 })
    const { disk } = internet.host({ name: 'mx.example', addresses: ['192.0.2.1'] }).world
    const message = Buffer.from(head + text)
    const intake = new Intake(disk, omit)
    const body = await internet.complete(
      (async () => {
        for (let at = 0; at < message.length; at += size) {
          await intake.push(message, at, Math.min(at + size, message.length))
        }
        const taken = await intake.finish()
        if (taken instanceof Uint8Array) return Buffer.from(taken)
        const pieces: Uint8Array[] = []
        for await (const piece of disk.read(taken.staged, 0, taken.sizeOctets)) pieces.push(piece)
        const whole = Buffer.concat(pieces)
        assert.equal(whole.length, taken.sizeOctets)
        return whole
      })(),
    )
    assert.equal(body.toString(), left + text)
    assert.equal(intake.sizeOctets, message.length, 'the size is what the client sent')
  })
}

test('a body is a buffer of its own, with nothing around it', async () => {
  const internet = createWorld({ seed: 1 })
  const { disk } = internet.host({ name: 'mx.example', addresses: ['192.0.2.1'] }).world
  for (const wanted of [() => [], omit]) {
    const intake = new Intake(disk, wanted)
    const message = Buffer.from(head)
    void intake.push(message, 0, message.length)
    const taken = await intake.finish()
    assert.ok(taken instanceof Uint8Array)
    assert.equal(taken.buffer.byteLength, taken.length)
  }
})

test('a body that fields were left out of may change hands, of whatever size', async () => {
  const internet = createWorld({ seed: 1 })
  const { disk } = internet.host({ name: 'mx.example', addresses: ['192.0.2.1'] }).world
  for (const size of [100, 20_000, 40_000, 100_000]) {
    const text = `\r\n${'x'.repeat(size)}\r\n`
    const message = Buffer.from(head + text)
    const intake = new Intake(disk, omit)
    void intake.push(message, 0, message.length)
    const lent = intake.lend()
    assert.ok(lent?.buffer instanceof ArrayBuffer)
    const taken = structuredClone(lent, { transfer: [lent.buffer] })
    assert.equal(Buffer.from(taken).toString(), left + text)
    assert.equal(lent.length, 0)
    intake.over()
  }
})

test('what is larger than the setting allows is staged, though it is small', async () => {
  const internet = createWorld({ seed: 1 })
  const { disk } = internet.host({ name: 'mx.example', addresses: ['192.0.2.1'] }).world
  for (const { size, limit, staged } of [
    { size: 0, limit: 0, staged: false },
    { size: 1, limit: 0, staged: true },
    { size: 100, limit: 100, staged: false },
    { size: 101, limit: 100, staged: true },
    { size: INLINE_MAX_BYTES - 1, limit: INLINE_MAX_BYTES, staged: false },
    { size: INLINE_MAX_BYTES - 1, limit: 0, staged: true },
  ]) {
    const intake = new Intake(disk, () => [], limit)
    void intake.push(Buffer.alloc(size, 'x'), 0, size)
    const taken = await internet.complete((async () => intake.lend() ?? (await intake.finish()))())
    assert.equal('staged' in taken, staged, `${size} octets, ${limit} in the row`)
    assert.equal('staged' in taken ? taken.sizeOctets : taken.length, size)
    assert.equal(intake.prefix.length, size)
  }
})

test('messages that use the same buffers, side by side and one behind the other, are never mixed', async () => {
  const disk = lateDisk()
  const sizes = [100_000, 262_144, 262_145, 700_000, 20_000, 300_000, 90_000, 1_000_000]
  /** Takes one message in, piece by piece; every third one is given up, its writes still under way. */
  const take = async (n: number): Promise<void> => {
    const message = Buffer.alloc(sizes[n % sizes.length] ?? 0)
    for (let at = 0; at < message.length; at++) message[at] = n + at / 1000
    const intake = new Intake(disk, () => [], 65_536)
    for (let at = 0; at < message.length; at += 60_000) {
      await intake.push(message, at, Math.min(at + 60_000, message.length))
      await turns(n % 5)
    }
    if (n % 3 === 2) {
      intake.abandon()
      intake.over()
      return
    }
    const taken = await intake.finish()
    assert.ok(message.subarray(0, intake.prefix.length).equals(intake.prefix))
    intake.over()
    intake.over()
    const body = taken instanceof Uint8Array ? taken : disk.bodies.get(taken.staged)
    assert.ok(body && message.equals(body), `message ${n}`)
  }
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 16 }, (_, i) => take(round * 16 + i)))
  }
})

test('a body that just fills its first buffer is not that buffer, which the next message gets', async () => {
  const take = async (size: number, octet: number) => {
    const intake = new Intake(lateDisk())
    void intake.push(Buffer.alloc(size, octet), 0, size)
    const body = await intake.finish()
    intake.over()
    return body
  }
  for (const size of [2_047, 2_048, 2_049, 16_384]) {
    const body = await take(size, 1)
    await take(size, 2)
    assert.ok(body instanceof Uint8Array && body.length === size)
    assert.ok(
      body.every(octet => octet === 1),
      `${size} octets`,
    )
  }
})

/** A disk that looks at what it is to write as late as it may: just before it says that it has. */
function lateDisk(): Disk & { readonly bodies: ReadonlyMap<string, Buffer> } {
  const bodies = new Map<string, Buffer>()
  let last = 0
  const stage = (): StagedBody => {
    const name = `body ${++last}`
    let written = Promise.resolve(Buffer.alloc(0))
    return {
      name,
      async write(octets) {
        const before = written
        written = turns(5).then(async () => Buffer.concat([await before, octets]))
        await written
      },
      async seal() {
        bodies.set(name, await written)
      },
      abort: () => turns(1),
    }
  }
  return {
    bodies,
    stage: async () => stage(),
    async *read() {},
    async remove() {},
    async *list() {},
  }
}

/** So many turns of the event loop later. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

test('a body for which no room is left is given up at once, and takes none', async () => {
  const internet = createWorld({ seed: 1 })
  const { world, disk } = internet.host({ name: 'mx.example', addresses: ['192.0.2.1'] })
  const asked: number[] = []
  const room = { for: (octets: number) => asked.push(octets) < 3 }
  const intake = new Intake(world.disk, undefined, INLINE_MAX_BYTES, room)
  const pieces = Buffer.alloc(2_000_000, 'x')
  await internet.complete(
    (async () => {
      for (let at = 0; at < pieces.length; at += 50_000) await intake.push(pieces, at, at + 50_000)
      await assert.rejects(intake.finish(), DiskFull)
      intake.abandon()
      await sleep(world.clock, 1000)
    })(),
  )
  assert.deepEqual(asked, [262_144, 262_144, 262_144])
  assert.deepEqual(disk.names, [])
})
