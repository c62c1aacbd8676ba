/**
 * A demo's data folder as its first start leaves it: the certificate, the database with every migration, two
 * accounts whose passwords cost a hash each. Made once, and copied by each server of its own (server.ts).
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onceInRun } from './once.ts'

export interface DemoAccount {
  readonly address: string
  readonly password: string
}

/** The certificate, and the key to it. */
const KEYS = ['certificate.pem', 'key.pem']

/**
 * Fills an empty folder; the accounts that are in it. @param what 'keys' for who has his database elsewhere
 * @param start starts a server on a folder, and stops it
 */
export async function furnishDemo(
  data: string,
  what: 'all' | 'keys',
  start: (data: string) => Promise<readonly DemoAccount[]>,
): Promise<readonly DemoAccount[]> {
  const made = await onceInRun('demo', async folder => {
    // Passwords are shown only once.
    const accounts = await start(join(folder, 'data'))
    writeFileSync(join(folder, 'accounts.json'), JSON.stringify(accounts))
  })
  if (what === 'keys') {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    for (const name of KEYS) copyFileSync(join(made, 'data', name), join(data, name))
    return []
  }
  cpSync(join(made, 'data'), data, { recursive: true })
  return JSON.parse(readFileSync(join(made, 'accounts.json'), 'utf8')) as DemoAccount[]
}
