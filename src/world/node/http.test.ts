/** The socket of the control operations. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { listenHttp } from './http.ts'

test('the control socket is its owner’s from the first instant, whatever the mask is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-'))
  const path = join(folder, 'control.sock')
  const mask = process.umask(0)
  try {
    const listening = listenHttp(
      { kind: 'unix', path, mode: 0o600 },
      async () => () => new Response(),
    )
    // It is bound by now, and nobody was told yet.
    const { mode } = statSync(path)
    await (await listening).close()
    assert.equal(mode & 0o777, 0o600)
    assert.equal(process.umask(), 0)
  } finally {
    process.umask(mask)
    rmSync(folder, { recursive: true })
  }
})
