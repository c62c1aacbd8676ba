/** Where a backup cannot be made, the operator is told what to do instead of what mkdir said. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { StoreError } from '../../store/store.ts'
import { silent } from '../../world/log.ts'
import { createPrivateDirectory } from '../../world/node/store-file.ts'
import { ExitError } from '../exit-error.ts'
import type { ControlContext } from './context.ts'
import { makeBackup } from './store.ts'

const place = mkdtempSync(join(tmpdir(), 'postrider-backup-'))
after(() => rmSync(place, { recursive: true }))

test('a backup into what is not empty, or below nothing, is refused with a remedy', async () => {
  const full = join(place, 'full')
  mkdirSync(full)
  writeFileSync(join(full, 'theirs'), '')
  const context = { store: { copyTo: async () => {} }, world: {} } as unknown as ControlContext
  for (const [folder, remedy] of [
    [full, /is not empty: name a folder that is new or empty$/],
    [join(full, 'theirs'), /is not empty/],
    [join(place, 'nowhere', 'backup'), /the folder it is to be in is missing$/],
  ] as const) {
    await assert.rejects(makeBackup(context, { folder }), error => {
      assert.ok(error instanceof ExitError)
      assert.equal(error.exit, 73)
      assert.match(error.message, remedy)
      return true
    })
  }
})

test('a backup for which there is no room leaves nothing, and says so', async () => {
  const folder = join(place, 'tight')
  const copyTo = async (path: string) => {
    writeFileSync(path, 'half')
    throw new StoreError('full', 'database or disk is full (SQLite 13)')
  }
  const context = { store: { copyTo }, world: { disk: {}, log: silent } }
  await assert.rejects(makeBackup(context as unknown as ControlContext, { folder }), error => {
    assert.ok(error instanceof ExitError)
    assert.equal(error.exit, 74)
    return true
  })
  assert.deepEqual(readdirSync(folder), [])
})

test('an empty folder is taken for a backup, and made private', async () => {
  const empty = join(place, 'empty')
  mkdirSync(empty, { mode: 0o755 })
  await createPrivateDirectory(empty)
  assert.equal(statSync(empty).mode & 0o777, 0o700)
})
