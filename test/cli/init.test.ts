/** `init`: a first config that is right, or a word on what is not, and nothing written. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { command } from '../kit/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider-init-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'postrider.config.ts')

test('names that are none are refused, all at once, before anything is written', async () => {
  const { code, err } = await command([
    'init',
    folder,
    '--hostname',
    'bad name',
    '--domain',
    '--',
    '--smarthost',
    'a:b:c',
  ])
  assert.equal(code, 64)
  assert.match(err, /--hostname: "bad name" is no domain name/)
  assert.match(err, /--domain: "--" is no domain name/)
  assert.match(err, /--smarthost: "a:b:c" is no HOST:PORT/)
  assert.equal(existsSync(file), false)
})

test('the first config names what is changed next, and its hints can be copied', async () => {
  const { code, out } = await command([
    'init',
    folder,
    '--hostname',
    'mail.a.test',
    '--domain',
    'a.test',
  ])
  assert.equal(code, 0)
  assert.match(out, / {2}bin\/postrider start\n {2}bin\/postrider account add you@a\.test\n/)
  assert.equal(out.includes('write `user` there'), process.getuid?.() === 0)
  const text = readFileSync(file, 'utf8')
  assert.match(text, /^ {2}\/\/ user: 'postrider',$/m)
  assert.match(text, /^ {2}\/\/ data: '\/var\/lib\/postrider',$/m)
})
