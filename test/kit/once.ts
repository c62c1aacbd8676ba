/**
 * What is dear to make and the same for all: made once in a run of the tests, for whoever needs a copy of it.
 * POSTRIDER_TEST_RUN names the folder that all processes of a run share (test/run.ts makes it and takes it
 * away); without it each process has its own.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

let own: string | undefined

/** So long another process that makes it is waited for; it may have been killed. */
const PATIENCE_MS = 30_000
const LOOK_MS = 20

/** The folder of that name, which `make` has filled; nobody may write there any more. */
export async function onceInRun(
  name: string,
  make: (folder: string) => Promise<unknown>,
): Promise<string> {
  const made = join(folderOfRun(), name)
  if (!existsSync(made) && !isFirst(made)) {
    for (let ms = 0; ms < PATIENCE_MS && !existsSync(made); ms += LOOK_MS) await sleep(LOOK_MS)
  }
  if (existsSync(made)) return made
  const folder = mkdtempSync(`${made}-`)
  await make(folder)
  try {
    renameSync(folder, made)
  } catch {
    // Another process was first: its is as good.
    rmSync(folder, { recursive: true })
  }
  return made
}

/** Whether nobody has begun to make it; whoever asks begins. */
function isFirst(made: string): boolean {
  try {
    mkdirSync(`${made}.begun`)
    return true
  } catch {
    return false
  }
}

function folderOfRun(): string {
  const named = process.env['POSTRIDER_TEST_RUN']
  if (named !== undefined) return named
  own ??= newRun()
  return own
}

/** A folder for a run, which is gone when this process ends. */
export function newRun(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-run-'))
  // PostgreSQL, which will not be root, looks in.
  chmodSync(folder, 0o711)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
