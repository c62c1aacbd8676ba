import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeFolders } from './make-folders.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider-folders-'))
after(() => rmSync(folder, { recursive: true }))

test('folders are made with those above them, and the first one is told', () => {
  assert.equal(makeFolders(join(folder, 'a/b/c'), 0o700), join(folder, 'a'))
  assert.equal(statSync(join(folder, 'a/b')).mode & 0o777, 0o700)
  assert.equal(makeFolders(join(folder, 'a/b/d')), join(folder, 'a/b/d'))
  assert.equal(makeFolders(join(folder, 'a/b')), undefined)
})

test('what is in the way is told', () => {
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => makeFolders(join(folder, 'file')), { code: 'EEXIST' })
  assert.throws(() => makeFolders(join(folder, 'file/x')), { code: 'ENOTDIR' })
})

test('where no folder can be made there is an end', { skip: !existsSync('/proc/self') }, () => {
  assert.throws(() => makeFolders('/proc/postrider/a/b'), { code: 'ENOENT' })
})
