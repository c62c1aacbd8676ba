/**
 * A demo's data folder as its first start leaves it: the certificate, the database with every migration, two
 * accounts whose passwords cost a hash each. Made once, and copied by each server of its own (server.ts).
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onceInRun } from './once.ts'

export interface DemoAccount {
  readonly address: string
  readonly password: string
}

/** Fills an empty folder; its accounts. @param start starts a server on a folder, and stops it */
export async function furnishDemo(
  data: string,
  start: (data: string) => Promise<readonly DemoAccount[]>,
): Promise<readonly DemoAccount[]> {
  const made = await onceInRun('demo', async folder => {
    // Passwords are shown only once.
    const accounts = await start(join(folder, 'data'))
    writeFileSync(join(folder, 'accounts.json'), JSON.stringify(accounts))
  })
  cpSync(join(made, 'data'), data, { recursive: true })
  return JSON.parse(readFileSync(join(made, 'accounts.json'), 'utf8')) as DemoAccount[]
}
