/** Bodies in object storage when it fails: what was acknowledged is there, and an outage is called one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Disk, DiskDamaged, DiskFull, DiskUnavailable } from '../../src/world/disk.ts'
import { objectDisk } from '../../src/world/node/object-disk.ts'
import { verifiedDisk } from '../../src/world/verified-disk.ts'
import { type FakeObjectStore, startObjectStore, type Weather } from '../kit/object-store.ts'

const small = Buffer.alloc(300_000, 'small')
const large = Buffer.alloc(6_000_000, 'large')

async function withStore(run: (fake: FakeObjectStore, disk: Disk) => Promise<void>): Promise<void> {
  const fake = await startObjectStore()
  try {
    await run(fake, verifiedDisk(objectDisk({ ...fake, prefix: 'p/', timeoutMs: 1_000 })))
  } finally {
    await fake.stop()
  }
}

async function keep(disk: Disk, content: Buffer): Promise<string> {
  const body = await disk.stage()
  try {
    await body.write(content)
    await body.seal()
    return body.name
  } catch (error) {
    await body.abort().catch(() => {})
    throw error
  }
}

async function whole(disk: Disk, name: string, size: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of disk.read(name, 0, size)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** This weather for the first requests that match, fair weather for all others. */
function weatherOf(match: RegExp, weather: Weather, times = Number.POSITIVE_INFINITY) {
  let left = times
  return (request: string) => (match.test(request) && left-- > 0 ? weather : undefined)
}

for (const [name, { match, weather, content }] of Object.entries({
  'the answer to a PUT is lost': { match: /^PUT/, weather: { deaf: true }, content: small },
  'a PUT meets an overload': { match: /^PUT/, weather: { status: 503 }, content: small },
  'a store knows no conditions': { match: /^PUT/, weather: { status: 501 }, content: small },
  'a store knows none for uploads': {
    match: /^POST .*uploadId/,
    weather: { status: 501 },
    content: large,
  },
  'two PUTs conflict': { match: /^PUT/, weather: { status: 409 }, content: small },
  'the answer to a part is lost': {
    match: /partNumber=1/,
    weather: { deaf: true },
    content: large,
  },
  'the answer that completes an upload is lost': {
    match: /^POST .*uploadId/,
    weather: { deaf: true },
    content: large,
  },
  'an upload begins twice': { match: /^POST .*uploads/, weather: { deaf: true }, content: large },
  'a PUT takes too long': { match: /^PUT/, weather: { delayMs: 1_200 }, content: small },
})) {
  test(`where ${name}, the body is sealed all the same`, () =>
    withStore(async (fake, disk) => {
      fake.weather = weatherOf(match, weather, 1)
      const sealed = await keep(disk, content)
      fake.weather = weatherOf(/^GET/, { torn: true }, 1)
      assert.ok((await whole(disk, sealed, content.length)).equals(content))
      assert.equal(fake.objects.size, 1)
    }))
}

test('an outage is one: nothing is sealed, nothing is damaged', () =>
  withStore(async (fake, disk) => {
    const sealed = await keep(disk, small)
    for (const weather of [{ status: 503 }, { status: 403 }, { deaf: true }, { status: 412 }]) {
      fake.weather = weatherOf(/^(?:PUT|HEAD)/, weather)
      await assert.rejects(keep(disk, small), DiskUnavailable)
    }
    for (const weather of [{ status: 500 }, { torn: true }, { delayMs: 1_100 }, { status: 403 }]) {
      fake.weather = weatherOf(/^GET/, weather)
      await assert.rejects(whole(disk, sealed, small.length), DiskUnavailable)
    }
    await assert.rejects(async () => disk.probe?.(), DiskUnavailable)
    fake.weather = weatherOf(/^POST .*uploadId/, { status: 503 })
    await assert.rejects(keep(disk, large), DiskUnavailable)
    fake.weather = () => undefined
    await disk.probe?.()
    assert.equal(fake.uploads.size, 0)
    fake.weather = weatherOf(/^PUT/, { status: 507 })
    await assert.rejects(keep(disk, small), DiskFull)
    await fake.stop()
    await assert.rejects(keep(disk, small), DiskUnavailable)
    await assert.rejects(whole(disk, sealed, small.length), DiskUnavailable)
    await fake.start()
    fake.weather = () => undefined
    assert.ok((await whole(disk, sealed, small.length)).equals(small))
  }))

test('a wrong key and a bucket that is not there are no damage; a body that is not there is', () =>
  withStore(async (fake, disk) => {
    const sealed = await keep(disk, small)
    for (const wrong of [{ secretKey: 'x' }, { bucket: 'other' }]) {
      const other = verifiedDisk(objectDisk({ ...fake, ...wrong, prefix: 'p/', tries: 1 }))
      await assert.rejects(keep(other, small), DiskUnavailable)
      await assert.rejects(whole(other, sealed, small.length), DiskUnavailable)
    }
    fake.objects.clear()
    await assert.rejects(whole(disk, sealed, small.length), DiskDamaged)
  }))

test('an upload that nobody completes is listed, and goes when it is removed', () =>
  withStore(async (fake, disk) => {
    const body = await disk.stage()
    await body.write(large)
    const names: string[] = []
    for await (const { name } of disk.list()) names.push(name)
    assert.equal(names.length, 1)
    assert.equal(fake.uploads.size, 1)
    await disk.remove(names[0] as string)
    assert.equal(fake.uploads.size, 0)
    await assert.rejects(body.seal(), DiskUnavailable)
  }))
