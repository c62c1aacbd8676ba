/** The lock on a data directory, between real processes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockDirectory } from './lock.ts'
import { giveAll, ownerOf } from './owner.ts'
import { isRoot } from './process.ts'

test('a second holder is refused, and a SIGKILL frees the lock at once', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'postrider-'))
  t.after(() => rm(directory, { recursive: true }))
  const script = `
    import { lockDirectory } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
    console.log(JSON.stringify(lockDirectory(${JSON.stringify(directory)})))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = await once(child.stdout, 'data')
  assert.equal(String(said), '{"held":false}\n')
  assert.deepEqual(lockDirectory(directory), { held: true })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = lockDirectory(directory)
  assert.ok(!lock.held)
  assert.deepEqual(lockDirectory(directory), { held: true }, 'in one process too')
  lock.release()
  const again = lockDirectory(directory)
  assert.ok(!again.held)
  again.release()
})

test("what root makes in a folder is its owner's", { skip: !isRoot() }, async t => {
  const directory = await mkdtemp(join(tmpdir(), 'postrider-'))
  t.after(() => rm(directory, { recursive: true }))
  assert.equal(ownerOf(directory), undefined, "root's own")
  await chown(directory, 4711, 4712)
  const lock = lockDirectory(directory)
  assert.ok(!lock.held)
  lock.release()
  await writeFile(join(directory, 'postrider.db'), '')
  assert.equal((await stat(join(directory, 'lock'))).uid, 4711)
  await giveAll(directory)
  const { uid, gid } = await stat(join(directory, 'postrider.db'))
  assert.deepEqual([uid, gid], [4711, 4712])
})
