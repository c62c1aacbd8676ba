/** Commands where no server runs: they say whose server that is, and what to do. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { command } from '../kit/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'postrider-absent-'))
after(() => rmSync(folder, { recursive: true }))

test('send says which server does not run', async () => {
  const message = ['--from', 'a@a.test', '--to', 'b@a.test', '--body', 'x']
  const { code, err } = await command(['send', ...message, '--data', folder])
  assert.equal(code, 75)
  assert.ok(err.startsWith(`the server of ${folder} does not run: start it`), err)
})

test('sendmail --help has a line for each flag that means something', async () => {
  const { out } = await command(['sendmail', '--help'])
  for (const flag of ['-t', '-i', '-f', '-F', '-N', '-R', '-V', '-v', '-bs', '-bp', '-bi', '-q']) {
    assert.match(out, new RegExp(`^  ${flag}[ ,]`, 'm'), flag)
  }
})
