/** Where the settings of two nodes of one PostgreSQL say that bodies are kept, what one has sealed the other reads. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openState } from '../../src/server/folder.ts'
import { settingsSchema } from '../../src/server/settings/settings.ts'
import { silent } from '../../src/world/log.ts'
import { startObjectStore } from '../kit/object-store.ts'
import { findPostgres, noPostgres, sharedPostgres } from '../kit/postgres.ts'

const binaries = findPostgres()
const server = binaries && (await sharedPostgres(binaries))

for (const where of ['the database', 'a bucket', 'a shared folder'] as const) {
  const skip = server === undefined && noPostgres
  test(`a large body that one node took is read at another, from ${where}`, { skip }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postrider-places-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const fake = await startObjectStore()
    t.after(() => fake.stop())
    const { endpoint, bucket, region, accessKey, secretKey } = fake
    const bodies = {
      'the database': {},
      'a bucket': { in: 's3', s3: { endpoint, bucket, region, accessKey, secretKey } },
      'a shared folder': { in: 'directory', directory: join(folder, 'shared') },
    }[where]
    const database = await server?.fresh()
    const open = (name: string) =>
      openState(settingsSchema.parse({ data: join(folder, name), database, bodies }), silent)
    const [one, other] = [await open('one'), await open('other')]
    const content = Buffer.alloc(700_000, 'large')
    const staged = await one.world.disk.stage()
    await staged.write(Buffer.from(content))
    await staged.seal()
    const chunks: Uint8Array[] = []
    for await (const chunk of other.world.disk.read(staged.name, 0, content.length)) {
      chunks.push(chunk)
    }
    assert.ok(Buffer.concat(chunks).equals(content))
    assert.equal(fake.objects.size, where === 'a bucket' ? 1 : 0)
    await Promise.all([one.close(), other.close()])
  })
}
